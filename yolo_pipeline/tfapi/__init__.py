"""The TensorFlow Object Detection API from outside: what it is given, and the program that runs it.

TensorFlow is never imported here: it lives in an environment of its own (environment.py), where the program in worker/
trains, looks at pictures and exports. They talk in lines of JSON (child.py).
"""

"""The program that runs in the TensorFlow Object Detection API's own environment: trains, looks at pictures, exports.

It knows nothing of yolo_pipeline: started by child.py, it is told one task in a line of JSON on stdin (talking.py) and
answers in lines of JSON. It imports the standard library, numpy, TensorFlow and object_detection alone.
"""

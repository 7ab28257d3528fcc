"""The TensorFlow Object Detection API, which runs in a child process: see yolo_pipeline.tfapi."""

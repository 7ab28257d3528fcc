"""Classifiers: networks of torchvision under a dense head of ours, and Ultralytics' `-cls` models."""

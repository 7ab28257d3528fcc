"""Detectors of Ultralytics."""

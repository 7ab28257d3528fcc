"""What a person reads of a finished attempt: report.md, report.html, diagnosis.json, and labels to correct."""

from __future__ import annotations

from pathlib import Path

from yolo_pipeline.files import write_json, write_text
from yolo_pipeline.recipes.diagnose import as_json, results_of
from yolo_pipeline.reporting.classified.answers import is_classifier
from yolo_pipeline.reporting.classified.report import write_picture_report
from yolo_pipeline.reporting.classified.suspects import write_picture_suspects
from yolo_pipeline.reporting.pages.attempt import attempt_page
from yolo_pipeline.reporting.pages.classified import classified_page
from yolo_pipeline.reporting.pages.shell import Language
from yolo_pipeline.reporting.report import write_report
from yolo_pipeline.reporting.suspects import write_suspects
from yolo_pipeline.results import Results


def report(root: Path, number: int, lang: Language = "en") -> Results:
    """Writes the reports of a finished attempt anew from its saved files.

    Raises:
        InputError: it is not finished, or a saved file is damaged.
    """
    results = results_of(root, number)
    write_reports(results, lang)
    return results


def write_reports(results: Results, lang: Language = "en") -> None:
    """Writes them into the run's folder; a folder of suspects that is there stays as it is."""
    write_json(results.run.diagnosis_file, as_json(results), indent=None)
    if is_classifier(results):
        write_picture_suspects(results)
        write_picture_report(results)
        write_text(results.run.page_file, classified_page(results, lang))
    else:
        write_suspects(results)
        write_report(results)
        write_text(results.run.page_file, attempt_page(results, lang))

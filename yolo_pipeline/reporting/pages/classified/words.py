"""Every word of the page of a classifier, in English and Korean, where it is another than on a detector's."""

from __future__ import annotations

from yolo_pipeline.reporting.pages.attempt.words import WORDS as OF_ATTEMPTS
from yolo_pipeline.reporting.pages.saying import Both

_FIGURES: dict[str, Both] = {
    "top1": ("right (top1)", "정확도(top1)"),
    "top5": ("among the five likeliest (top5)", "상위 5개 안(top5)"),
    "loss": ("loss", "손실"),
    "right": ("right of all", "맞은 수"),
    "right_of_all": ("{right} of {all}", "{right} / {all}"),
    "not_judged": (
        "No answers were saved, so nothing could be judged.",
        "저장된 답이 없어 채점하지 못했습니다.",
    ),
    "truths": ("images", "이미지 수"),
    "classes_lead": (
        "Precision: of the pictures that were said to be of the class, the share that is. Recall: of its pictures, the "
        "share that was named so.",
        "정밀도는 그 클래스라고 답한 이미지 가운데 실제로 맞은 비율, 재현율은 그 클래스의 이미지 가운데 바르게 답한 "
        "비율입니다.",
    ),
    "read_best_epoch": (
        "The weights are those of epoch {best} of {epochs} (at most {asked}).",
        "에포크 {best}의 가중치를 사용합니다 (총 {epochs} 에포크, 최대 {asked}).",
    ),
    "kept_epoch": ("The weights are those of epoch {best}.", "에포크 {best}의 가중치를 사용합니다."),
    "loss_title": ("loss", "손실"),
    "accuracy_title": ("share that is right", "맞은 비율"),
}

_MISTAKES: dict[str, Both] = {
    "matrix_lead": (
        "Rows are the labels, columns what the model said: the likeliest class. Press a number to see the pictures "
        "behind it.",
        "행은 라벨, 열은 모델의 답(확률이 가장 높은 클래스)입니다. 숫자를 누르면 해당 이미지를 볼 수 있습니다.",
    ),
    "there_said": ("label / said", "라벨 / 모델"),
    "cell_hit": ("{truth} named rightly: {n}", "'{truth}' 클래스를 바르게 맞힘: {n}"),
    "pair_share": ("{share} of all {truth}", "'{truth}' 이미지의 {share}"),
    "there": ("label", "라벨"),
    "least": ("How sure an answer must be", "답의 최소 확률"),
    "least_lead": (
        "Answers below the least probability can be left to a person. Move it: counts and wrong answers follow.",
        "최소 확률보다 확신이 낮은 답은 사람에게 맡길 수 있습니다. 값을 움직이면 개수와 틀린 답이 바뀝니다.",
    ),
    "least_plot": ("Over the least probability", "최소 확률에 따른 변화"),
    "slider": ("Least probability", "최소 확률"),
    "reset": ("Back to {least}", "처음 값({least})으로 되돌리기"),
    "share_answered": ("share answered", "답한 비율"),
    "right_answered": ("right of these", "그중 맞은 비율"),
    "n_answered": ("answered of {all} ({share})", "답함 ({all}장 중 {share})"),
    "n_right": ("right ({share})", "맞음 ({share})"),
    "n_wrong": ("wrong", "틀림"),
    "calibration": ("Is a probability the chance to be right?", "확률은 맞을 가능성과 같은가?"),
    "score_mean": ("mean probability", "평균 확률"),
    "bin": ("{n} pictures", "이미지 {n}장"),
    "wrong": ("Wrong answers, the surest first", "틀린 답: 확신이 큰 순"),
    "wrong_lead": (
        "The five likeliest classes of each, the label's in green. Press a picture to enlarge it.",
        "이미지마다 확률이 높은 다섯 클래스이며 라벨은 초록색입니다. 이미지를 누르면 크게 볼 수 있습니다.",
    ),
    "wrong_none": ("No answer is wrong.", "틀린 답이 없습니다."),
    "wrong_none_left": ("None is as sure as that.", "그만큼 확신한 틀린 답이 없습니다."),
    "grid": ("Pictures at random", "무작위 이미지"),
    "grid_lead": (
        "{right} of {all} right. What was said is above each: yellow where it is right, red where it is wrong, with "
        "the label behind it.",
        "{all}장 중 {right}장이 맞았습니다. 이미지 위가 모델의 답이며, 맞으면 노란색, 틀리면 빨간색이고 괄호 안에 "
        "라벨을 적었습니다.",
    ),
    "is": ("(is {label})", "(라벨 {label})"),
    "suspects_where": (
        "Copies of the pictures lie sorted by label and answer in this folder: {folder}",
        "이미지 사본을 라벨과 답에 따라 나누어 다음 폴더에 두었습니다: {folder}",
    ),
    "test_wrong": ("Wrong answers on test", "test의 틀린 답"),
}

EXPLAINED: dict[str, Both] = {
    "top1": (
        "The share of pictures whose likeliest class is the label: the accuracy.",
        "확률이 가장 높은 클래스가 라벨과 같은 이미지의 비율, 곧 정확도입니다.",
    ),
    "top5": (
        "The share of pictures whose label is among the five likeliest classes. With five classes or fewer it is 1.",
        "라벨이 확률이 높은 다섯 클래스 안에 드는 이미지의 비율입니다. 클래스가 다섯 개 이하이면 항상 1입니다.",
    ),
    "loss": (
        "Mean cross entropy, natural logarithm: high where the label was given little probability. Lower is better; "
        "without knowing anything it is the logarithm of the number of classes.",
        "교차 엔트로피의 평균(자연로그)으로, 라벨에 준 확률이 낮을수록 커집니다. 낮을수록 좋고, 아무것도 모르면 클래스 "
        "수의 로그값입니다.",
    ),
    "precision": (
        "Of the pictures that were said to be of a class, the share that is.",
        "그 클래스라고 답한 이미지 가운데 실제로 그 클래스인 비율(정밀도)입니다.",
    ),
    "recall": (
        "Of the pictures of a class, the share that was said to be of it.",
        "그 클래스의 이미지 가운데 그 클래스라고 답한 비율(재현율)입니다.",
    ),
    "F1": (
        "The harmonic mean of precision and recall: high only where both are.",
        "정밀도와 재현율의 조화평균입니다. 둘 다 높아야 높아집니다.",
    ),
}
"""What a figure means, in a sentence or two."""

WORDS: dict[str, Both] = {**OF_ATTEMPTS, **_FIGURES, **_MISTAKES}

FOR_SCRIPTS = (
    "more", "close", "no_picture", "crops_of", "there", "said", "is", "n_answered", "n_right", "wrong_none",
    "wrong_none_left",
)  # fmt: skip
"""Keys of what classified.js says."""

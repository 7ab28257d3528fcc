"""What a figure means, in a sentence or two: a click away on every page."""

from __future__ import annotations

from collections.abc import Iterable

from yolo_pipeline.diagnosis import ErrorName
from yolo_pipeline.reporting.pages.markup import Markup, details, element, join
from yolo_pipeline.reporting.pages.saying import Both, Say

FIGURES: dict[str, Both] = {
    "box_loss": (
        "How far predicted boxes lie from the objects they belong to. Lower is better: boxes fit more tightly.",
        "예측한 박스가 실제 객체에서 얼마나 벗어났는지 재는 손실입니다. 낮을수록 박스가 객체에 더 잘 맞습니다.",
    ),
    "cls_loss": (
        "How wrong the class of each predicted box is, background included. Lower is better.",
        "배경을 포함하여 예측 박스의 클래스가 얼마나 틀렸는지 재는 분류 손실입니다. 낮을수록 좋습니다.",
    ),
    "dfl_loss": (
        "Distribution focal loss: how sharply and rightly the model places each side of a box. Lower is better.",
        "분포 초점 손실(DFL)입니다. 박스의 각 변 위치를 얼마나 또렷하고 정확하게 예측하는지 재며, 낮을수록 좋습니다.",
    ),
    "mAP_0.5": (
        "Mean over classes of the average precision, a box counting as right where it overlaps an object of its class "
        "with an IoU of at least 0.5. IoU is the shared area divided by the area of both together. Here: mAP50.",
        "같은 클래스의 객체와 IoU 0.5 이상으로 겹친 박스를 맞은 것으로 보고 구한 평균 정밀도(AP)를 모든 클래스에 대해 "
        "평균한 값입니다. IoU는 겹친 넓이를 합친 넓이로 나눈 값입니다. 이 페이지의 mAP50입니다.",
    ),
    "mAP_0.5:0.95": (
        "The same, averaged over ten demands on the overlap: IoU 0.50, 0.55 and so on to 0.95. It also rewards boxes "
        "that fit tightly. Here: mAP50-95.",
        "IoU 기준을 0.50에서 0.95까지 0.05씩 올려 가며 구한 열 가지 mAP의 평균입니다. 박스가 꼭 맞을수록 높아집니다. "
        "이 페이지의 mAP50-95입니다.",
    ),
    "precision": (
        "The share of the model's boxes that are right. Low: it sees things that are not there, or names them wrongly.",
        "모델이 그린 박스 가운데 맞은 비율(정밀도)입니다. 낮으면 없는 것을 보거나 이름을 틀린다는 뜻입니다.",
    ),
    "recall": (
        "The share of the objects that were found. Low: it overlooks things.",
        "실제 객체 가운데 찾아낸 비율(재현율)입니다. 낮으면 놓치는 객체가 많다는 뜻입니다.",
    ),
    "F1": (
        "The harmonic mean of precision and recall: high only where both are.",
        "정밀도와 재현율의 조화평균입니다. 둘 다 높아야 높아집니다.",
    ),
}

OF_STEPS: dict[str, Both] = {
    "regularization_loss": (
        "How large the weights have grown. It is part of what training lowers, and says nothing of the boxes.",
        "가중치가 얼마나 커졌는지 재는 손실입니다. 학습이 줄이려는 값에 더해지지만 박스의 정확도와는 관계가 없습니다.",
    ),
    "total_loss": (
        "All losses together: what training lowers.",
        "모든 손실을 더한 값으로, 학습이 줄이려는 값입니다.",
    ),
    "learning_rate": (
        "How far each step moves the weights. It warms up, then falls to 0 with the last step.",
        "스텝마다 가중치를 얼마나 바꾸는지 나타냅니다. 처음에 서서히 올린 뒤 마지막 스텝까지 0으로 줄입니다.",
    ),
}
"""Of curves that not every track has: said where they are shown."""

ERRORS: dict[ErrorName, Both] = {
    "Cls": (
        "Well placed, but the wrong class.",
        "위치는 맞지만 클래스가 틀렸습니다.",
    ),
    "Loc": (
        "The right class, but the box fits badly (IoU 0.1 to 0.5).",
        "클래스는 맞지만 박스가 잘 맞지 않습니다 (IoU 0.1~0.5).",
    ),
    "Both": (
        "The wrong class, and the box fits badly.",
        "클래스도 틀리고 박스도 잘 맞지 않습니다.",
    ),
    "Dupe": (
        "A second box on an object that was found already.",
        "이미 찾은 객체에 박스를 하나 더 그렸습니다.",
    ),
    "Bkg": (
        "A box where nothing is labelled.",
        "라벨이 없는 곳에 박스를 그렸습니다.",
    ),
    "Miss": (
        "An object that no box found, not even a poor one.",
        "잘 맞지 않는 박스조차 없이 놓친 객체입니다.",
    ),
}


def explanations(say: Say, columns: Iterable[str] = ()) -> Markup:
    """All of FIGURES, and those of OF_STEPS that are among the names of the columns of curves; closed."""
    shown = {column.rpartition("/")[2] for column in columns}
    figures = {**FIGURES, **{name: both for name, both in OF_STEPS.items() if name in shown}}
    pairs = [[element("dt", element("code", name)), element("dd", say.of(both))] for name, both in figures.items()]
    return details(say("explained"), element("dl", join(map(join, pairs)), class_="explained"))

"""The words on the page of a comparison, in English and Korean."""

from __future__ import annotations

from dataclasses import dataclass

from yolo_pipeline.reporting.pages.shell import Language

_ENGLISH: dict[str, str] = {
    "title": "Comparison of attempts {numbers}",
    "title many": "Comparison of {count} attempts",
    "attempt": "attempt",
    "attempt n": "attempt {number}",
    "name": "title",
    "changed": "changed against its base",
    # scores
    "scores": "mAP with intervals",
    "scores text": (
        "By the one judge, COCO's definition. A line spans the 95 % interval: where the figure may lie had other "
        "images of the same kind been drawn. Where two attempts were judged on the same images, "
        "their difference below, paired image by image, says more than two lines that overlap."
    ),
    "scores pictures": "Pictures named rightly, with intervals",
    "scores text pictures": (
        "By the one judge: top1, the share of pictures whose likeliest class is right. A line spans the 95 % "
        "interval: where the figure may lie had other pictures of the same kind been drawn. Where two attempts were "
        "judged on the same pictures, their difference below, paired picture by picture, says more than two lines "
        "that overlap."
    ),
    "scores both": "Figures with intervals",
    "scores text both": (
        "By the one judge: mAP of attempts that detect, COCO's definition, and top1 of those that classify, the share "
        "of pictures whose likeliest class is right. The two cannot be compared. A line spans the 95 % interval: where "
        "the figure may lie had other images of the same kind been drawn."
    ),
    "own": "The makers' own figures",
    "own text": (
        "As the framework or the makers of a run report them: on their images, by their rules, without an interval. "
        "They are not the judge's figures and cannot be compared with them."
    ),
    "own group": "own figures, not the judge's",
    "own figure": "own: {name}",
    # table
    "table": "Attempt by attempt",
    "table text": "Settings that are the same everywhere are left out.",
    "best text": "★ marks what is better than all others beyond the choice of images.",
    "sort text": "Click on a heading to sort by it.",
    "settings": "settings",
    "data": "data",
    "judged on": "judged on {split}",
    "cost": "cost",
    "images of": "{split}: images",
    "boxes of": "{split}: boxes",
    "classes count": "classes",
    "conf": "conf of best F1",
    "images": "images",
    "parameters": "parameters",
    "weights": "weights file",
    "train seconds": "training time",
    "seconds an image": "time an image",
    "device": "device",
    "made elsewhere": "made elsewhere",
    # steps
    "steps": "What changed, and what came of it",
    "paired text": (
        "Differences are paired image by image. The interval covers the choice of test images, not the luck of "
        "training: the same attempt with another seed may differ by as much."
    ),
    "epoch": "epoch",
    "seconds": "seconds",
    "step axis": "step",
    "step": "From attempt {a} to attempt {b}",
    "setting": "setting",
    "before": "before",
    "after": "after",
    "of one track": "and {count} settings of training that only one of the two tracks has",
    "no settings": "No setting was changed.",
    "metric": "metric",
    "difference": "difference",
    "interval": "95 % interval",
    "verdict": "verdict",
    "better": "better",
    "worse": "worse",
    "unclear": "no clear difference",
    "shared": "{count}, shared",
    "own boxes": "by its own boxes",
    "own labels": "by its own labels",
    "shared text": "Shared: only the images that both have, judged anew.",
    "not judged": "They were not judged on the same images.",
    "data same": "The data is the same.",
    "data unknown": "The data of one of them was not noted, so it cannot be said what changed in it.",
    # data differences
    "added": "Photos added",
    "removed": "Photos removed",
    "moved": "Photos in another split",
    "redrawn": "Boxes redrawn",
    "relabelled": "Boxes relabelled",
    "pictures relabelled": "Pictures relabelled",
    "boxes_added": "Boxes added, on photos that both have",
    "boxes_removed": "Boxes removed, on photos that both have",
    "classes_added": "Classes added",
    "classes_removed": "Classes removed",
    "classes_renamed": "Classes renamed",
    "backgrounds": "Photos without objects",
    "median iou": "median IoU of before and after {iou}",
    "key": "before: dashed, after: solid",
    "more": "and {count} more",
    "gone": "without a picture, as the file is gone or was changed: {count}",
    # classes
    "classes": "Class by class",
    "classes text": "Classes have no interval, so none is marked as the best.",
    "class": "class",
    "truths": "objects",
    # plots
    "tradeoff": "Accuracy against cost",
    "curves": "Curves of the training",
    "curves text": "Hover to read a value, draw a frame to zoom, double-click to zoom out; a click on a name hides it.",
    "curves smoothed": "Losses on train of trainings that go by steps are means of the steps around.",
    "curves missing": "Without curves: {attempts}.",
    "pr": "Precision, recall and F1",
    "pr text": "Precision at each recall, IoU 0.5, of a class or their mean; F1 at each confidence, of all boxes.",
    "pr axis recall": "recall",
    "pr axis precision": "precision",
    "pr axis conf": "confidence",
    "all classes": "mean over classes",
    "show": "show",
    "split": "split",
    "along": "along",
    # effects
    "effects": "Which setting moved mAP",
    "effects pictures": "Which setting moved top1",
    "effects both": "Which setting moved what",
    "effects text": (
        "A dot an attempt. Attempts with the same value differ in other settings, too, so a pattern is a hint; pairs "
        "that are one setting apart say more."
    ),
    "contents": "On this page",
    "change": "mean change",
    "pairs count": "pairs",
    "pairs": "One setting apart",
    "pairs text": "Attempts with the same settings but for one. Training has its luck: one pair proves little.",
    "no pairs": "No two attempts are one setting apart.",
    "median": "median",
    "not set": "not set",
    # told
    "told": "As their makers tell it",
    "problems": "problems",
    "causes": "causes",
    "next": "next",
    "notes": "notes",
}

_KOREAN: dict[str, str] = {
    "title": "시도 {numbers} 비교",
    "title many": "시도 {count}개 비교",
    "attempt": "시도",
    "attempt n": "시도 {number}",
    "name": "제목",
    "changed": "바탕 시도에서 바꾼 점",
    "scores": "mAP와 95 % 구간",
    "scores text": (
        "공통 채점기가 COCO 정의대로 매긴 값입니다. 선은 95 % 구간으로, 같은 종류의 다른 이미지가 뽑혔다면 값이 놓였을 "
        "범위입니다. 같은 이미지로 채점한 두 시도는 두 선이 겹치는지보다 아래의 짝지은 차이를 보는 것이 정확합니다."
    ),
    "scores pictures": "맞은 이미지의 비율과 95 % 구간",
    "scores text pictures": (
        "공통 채점기가 매긴 top1, 곧 확률이 가장 높은 클래스가 맞은 이미지의 비율입니다. 선은 95 % 구간으로, 같은 "
        "종류의 다른 이미지가 뽑혔다면 값이 놓였을 범위입니다. 같은 이미지로 채점한 두 시도는 두 선이 겹치는지보다 "
        "아래의 짝지은 차이를 보는 것이 정확합니다."
    ),
    "scores both": "지표와 95 % 구간",
    "scores text both": (
        "공통 채점기가 매긴 값입니다. 검출하는 시도는 COCO 정의의 mAP, 분류하는 시도는 top1(확률이 가장 높은 클래스가 "
        "맞은 이미지의 비율)이며 둘은 서로 비교할 수 없습니다. 선은 95 % 구간으로, 같은 종류의 다른 이미지가 뽑혔다면 "
        "값이 놓였을 범위입니다."
    ),
    "own": "만든 이가 보고한 값",
    "own text": (
        "프레임워크나 만든 이가 자체 이미지와 자체 규칙으로 낸 값이며 구간이 없습니다. "
        "공통 채점기의 값이 아니므로 그 값과 비교할 수 없습니다."
    ),
    "own group": "자체 값 (공통 채점기의 값이 아님)",
    "own figure": "자체: {name}",
    "table": "시도별 표",
    "table text": "모든 시도에서 같은 설정은 뺐습니다.",
    "best text": "★는 어떤 이미지가 뽑혔는지를 감안해도 다른 모든 시도보다 나은 값입니다.",
    "sort text": "제목 칸을 누르면 그 열을 기준으로 정렬합니다.",
    "settings": "설정",
    "data": "데이터",
    "judged on": "{split} 채점",
    "cost": "비용",
    "images of": "{split}: 이미지",
    "boxes of": "{split}: 박스",
    "classes count": "클래스 수",
    "conf": "F1이 가장 높은 신뢰도",
    "images": "이미지",
    "parameters": "파라미터",
    "weights": "가중치 파일",
    "train seconds": "학습 시간",
    "seconds an image": "이미지당 시간",
    "device": "장치",
    "made elsewhere": "다른 곳에서 학습",
    "steps": "무엇을 바꾸었고 무엇이 달라졌나",
    "paired text": (
        "차이는 이미지마다 짝지어 계산했습니다. 구간은 어떤 평가 이미지가 뽑혔는지만 다루며 학습의 우연은 포함하지 "
        "않습니다. 같은 시도도 시드가 다르면 이만큼 달라질 수 있습니다."
    ),
    "epoch": "에포크",
    "seconds": "초",
    "step axis": "스텝",
    "step": "시도 {a}에서 시도 {b}로",
    "setting": "설정",
    "before": "이전",
    "after": "이후",
    "of one track": "그 밖에 두 트랙 중 한쪽에만 있는 학습 설정 {count}개",
    "no settings": "바뀐 설정이 없습니다.",
    "metric": "지표",
    "difference": "차이",
    "interval": "95 % 구간",
    "verdict": "판정",
    "better": "나아짐",
    "worse": "나빠짐",
    "unclear": "뚜렷한 차이 없음",
    "shared": "{count}, 공통",
    "own boxes": "(자기 박스 기준)",
    "own labels": "(자기 라벨 기준)",
    "shared text": "공통: 두 시도에 모두 있는 이미지만 다시 채점했습니다.",
    "not judged": "같은 이미지로 채점되지 않았습니다.",
    "data same": "데이터가 같습니다.",
    "data unknown": "한쪽의 데이터가 기록되지 않아 무엇이 바뀌었는지 알 수 없습니다.",
    "added": "추가한 이미지",
    "removed": "뺀 이미지",
    "moved": "다른 분할로 옮긴 이미지",
    "redrawn": "다시 그린 박스",
    "relabelled": "라벨을 바꾼 박스",
    "pictures relabelled": "라벨을 바꾼 이미지",
    "boxes_added": "두 시도에 모두 있는 이미지에 추가한 박스",
    "boxes_removed": "두 시도에 모두 있는 이미지에서 뺀 박스",
    "classes_added": "추가한 클래스",
    "classes_removed": "뺀 클래스",
    "classes_renamed": "이름을 바꾼 클래스",
    "backgrounds": "객체가 없는 이미지",
    "median iou": "이전과 이후의 IoU 중앙값 {iou}",
    "key": "이전: 점선, 이후: 실선",
    "more": "외 {count}개",
    "gone": "파일이 없거나 바뀌어 보여 줄 수 없는 것: {count}개",
    "classes": "클래스별",
    "classes text": "클래스별 값에는 구간이 없으므로 가장 나은 값을 표시하지 않습니다.",
    "class": "클래스",
    "truths": "객체 수",
    "tradeoff": "비용 대비 정확도",
    "curves": "학습 곡선",
    "curves text": (
        "마우스를 올리면 값이 보입니다. 끌어서 확대하고 두 번 눌러 되돌립니다. 이름을 누르면 그 곡선을 숨깁니다."
    ),
    "curves smoothed": "스텝 단위로 학습한 시도의 train 손실은 앞뒤 스텝의 평균입니다.",
    "curves missing": "곡선이 없는 시도: {attempts}.",
    "pr": "정밀도, 재현율, F1",
    "pr text": ("재현율에 따른 정밀도(IoU 0.5, 클래스별 또는 평균)와, 모든 박스를 함께 세어 신뢰도별로 구한 F1입니다."),
    "pr axis recall": "재현율",
    "pr axis precision": "정밀도",
    "pr axis conf": "신뢰도",
    "all classes": "클래스 평균",
    "show": "보기",
    "split": "분할",
    "along": "가로축",
    "effects": "어떤 설정이 mAP를 움직였나",
    "effects pictures": "어떤 설정이 top1을 움직였나",
    "effects both": "어떤 설정이 무엇을 움직였나",
    "effects text": (
        "점 하나가 시도 하나입니다. 값이 같은 시도끼리도 다른 설정이 다르므로 경향은 단서일 뿐입니다. 설정 하나만 다른 "
        "짝이 더 믿을 만합니다."
    ),
    "contents": "이 페이지의 내용",
    "change": "평균 변화",
    "pairs count": "짝",
    "pairs": "설정 하나만 다른 짝",
    "pairs text": (
        "설정 하나만 다르고 나머지는 모두 같은 두 시도입니다. 학습에는 우연이 있으므로 한 짝만으로는 알 수 없습니다."
    ),
    "no pairs": "설정 하나만 다른 두 시도가 없습니다.",
    "median": "중앙값",
    "not set": "정하지 않음",
    "told": "만든 이의 설명",
    "problems": "문제",
    "causes": "원인",
    "next": "다음",
    "notes": "메모",
}

COMPARISON_WORDS: dict[Language, dict[str, str]] = {"en": _ENGLISH, "ko": _KOREAN}


@dataclass(frozen=True, slots=True)
class Say:
    """What a word of the page is in its language."""

    lang: Language

    def __call__(self, key: str, **figures: object) -> str:
        return COMPARISON_WORDS[self.lang][key].format(**figures)

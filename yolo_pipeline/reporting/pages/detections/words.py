"""Every word of the page of detections, in English and Korean. Names and figures stay as they are."""

from __future__ import annotations

from yolo_pipeline.reporting.pages.saying import Both, Say

WORDS: dict[str, Both] = {
    "contents": ("On this page", "이 페이지의 내용"),
    # summary
    "picture_1": ("{n} picture", "이미지 {n}장"),
    "picture_n": ("{n} pictures", "이미지 {n}장"),
    "skipped_n": ("{n} skipped", "건너뜀 {n}개"),
    "box_1": ("{n} box", "박스 {n}개"),
    "box_n": ("{n} boxes", "박스 {n}개"),
    "found_at": ("at {conf}: {boxes} on {pictures}", "신뢰도 {conf}에서 {pictures}에 {boxes}"),
    "vanish_1": ("{n} box vanishes at {conf}", "{conf}에서 {n}개가 사라짐"),
    "vanish_n": ("{n} boxes vanish at {conf}", "{conf}에서 {n}개가 사라짐"),
    "vanish_0": ("no box vanishes at {conf}", "{conf}에서 사라지는 박스 없음"),
    "only_classes": ("Only these classes: {names}.", "다음 클래스만 보입니다: {names}."),
    "at_most_1": ("At most the surest box of a picture.", "이미지마다 가장 확실한 박스 하나만 보입니다."),
    "at_most_n": ("At most the {n} surest boxes of a picture.", "이미지마다 가장 확실한 박스 {n}개까지만 보입니다."),
    # pictures
    "pictures": ("Pictures", "이미지"),
    "no_pictures": ("No picture could be read.", "읽을 수 있는 이미지가 없습니다."),
    "lead": (
        "Move the confidence: boxes and counts follow. Press a picture to enlarge it.",
        "신뢰도를 움직이면 박스와 개수가 바뀝니다. 이미지를 누르면 크게 볼 수 있습니다.",
    ),
    "embedded_all": ("All {all} are on this page.", "{all} 모두 이 페이지에 있습니다."),
    "embedded_by_vanishing": (
        "{shown} of {all} are on this page: those first of which most boxes vanish from {low} to {high}, then those "
        "with most boxes.",
        "{all} 가운데 {shown}장을 이 페이지에서 볼 수 있습니다. {low}에서 {high} 사이에 사라지는 박스가 많은 순서이고, "
        "그다음은 박스가 많은 순서입니다.",
    ),
    "embedded_by_boxes": (
        "{shown} of {all} are on this page: those first with most boxes.",
        "{all} 가운데 {shown}장을 이 페이지에서 볼 수 있습니다. 박스가 많은 순서입니다.",
    ),
    "others_below": ("The table below has {others} more.", "{others}장은 아래 표에 있습니다."),
    "unlisted": (
        "This page and the counts beside the slider leave out {n} more; {file} has all of them.",
        "그 밖의 {n}장은 이 페이지와 슬라이더 옆의 개수에 들어 있지 않습니다. 전체는 {file}에 있습니다.",
    ),
    "slider": ("Confidence", "신뢰도"),
    "slider_help": (
        "Arrow keys move it by 0.01, Page Up and Page Down to the thresholds asked for.",
        "화살표 키로 0.01씩, Page Up과 Page Down으로 요청한 기준값 사이를 옮깁니다.",
    ),
    "asked_for": ("Thresholds asked for", "요청한 기준값"),
    "live_boxes": ("{n} boxes", "박스 {n}"),
    "live_pictures": ("{n} pictures with boxes", "박스가 있는 이미지 {n}"),
    "live_vanished": ("{n} vanished", "사라진 박스 {n}"),
    "search": ("Search names", "이름 검색"),
    "sort": ("Sort by", "정렬"),
    "by_vanishing": ("vanishing boxes", "사라지는 박스 수"),
    "by_boxes": ("boxes", "박스 수"),
    "by_surest": ("surest box", "가장 확실한 박스"),
    "by_name": ("name", "이름"),
    "show_vanished": ("Mark boxes that vanish", "사라진 박스 표시"),
    "classes": ("Classes", "클래스"),
    "all": ("All", "전체 선택"),
    "none": ("None", "전체 해제"),
    "vanished": ("{n} vanished", "{n}개 사라짐"),
    "matches": ("{n} of {all} match", "{all}장 중 {n}장 일치"),
    "more": ("Show more ({n} left)", "더 보기 ({n}장 남음)"),
    "close": ("Close", "닫기"),
    "previous": ("Previous", "이전"),
    "next": ("Next", "다음"),
    "drawn": ("With its boxes drawn:", "박스를 그린 이미지:"),
    "original": ("Original:", "원본:"),
    # the others
    "others": ("More pictures", "나머지 이미지"),
    "others_lead": (
        "Without a thumbnail, so that this page stays small. A name leads to the picture with its boxes drawn, "
        "where there is one.",
        "페이지가 너무 커지지 않도록 미리보기를 넣지 않았습니다. 박스를 그린 이미지가 있으면 이름을 눌러 열 수 "
        "있습니다.",
    ),
    "name": ("name", "이름"),
    "boxes": ("boxes", "박스"),
    "vanished_boxes": ("vanished", "사라짐"),
    "surest": ("surest", "최고 신뢰도"),
    # by class and threshold
    "counts": ("By class and threshold", "클래스와 기준값별"),
    "counts_lead": (
        "Of all pictures: boxes, and in brackets the pictures with at least one.",
        "전체 이미지 기준의 박스 수이며, 괄호 안은 박스가 하나라도 있는 이미지 수입니다.",
    ),
    "of_pictures": ("({n})", "({n}장)"),
    "class": ("class", "클래스"),
    "at": ("at {conf}", "{conf}"),
    "total": ("all", "전체"),
    "no_boxes": ("No box was found.", "찾은 박스가 없습니다."),
    # skipped
    "skipped": ("Skipped", "건너뛴 파일"),
    "skipped_lead": ("Files that could not be shown to the model.", "모델에 보여 줄 수 없었던 파일입니다."),
    "skipped_some": (
        "The first {shown} of {all}; {file} has all of them.",
        "{all}개 중 처음 {shown}개입니다. 전체는 {file}에 있습니다.",
    ),
    "file": ("file", "파일"),
    "reason": ("reason", "이유"),
    # facts
    "making": ("How it was made", "만든 과정"),
    "setting": ("setting", "설정"),
    "value": ("value", "값"),
}

WORDS_OF_CLASSIFIER: dict[str, Both] = {
    **WORDS,
    "box_1": ("classified", "분류됨"),
    "box_n": ("{n} classified", "{n}장 분류됨"),
    "found_at": ("at {conf}: {pictures} classified", "확률 {conf} 이상: {pictures} 분류됨"),
    "vanish_1": ("{n} picture falls below {conf}", "{conf} 미만 {n}장"),
    "vanish_n": ("{n} pictures fall below {conf}", "{conf} 미만 {n}장"),
    "vanish_0": ("no picture falls below {conf}", "{conf} 미만 없음"),
    "at_most_1": (
        "The likeliest class of each picture; classes.csv has the next ones, too.",
        "이미지마다 가장 가능성이 높은 클래스입니다. 다음 순위의 클래스는 classes.csv에 있습니다.",
    ),
    "at_most_n": (
        "At most the {n} likeliest classes of a picture.",
        "이미지마다 가능성이 높은 클래스 {n}개까지 보입니다.",
    ),
    "lead": (
        "Move the probability: classes and counts follow. Press a picture to enlarge it.",
        "확률을 움직이면 클래스와 개수가 바뀝니다. 이미지를 누르면 크게 볼 수 있습니다.",
    ),
    "embedded_by_vanishing": (
        "{shown} of {all} are on this page: those first whose probability lies between {low} and {high}.",
        "{all} 가운데 {shown}장을 이 페이지에서 볼 수 있습니다. 확률이 {low}와 {high} 사이인 이미지가 먼저입니다.",
    ),
    "embedded_by_boxes": (
        "{shown} of {all} are on this page: those first that were classified.",
        "{all} 가운데 {shown}장을 이 페이지에서 볼 수 있습니다. 분류된 이미지가 먼저입니다.",
    ),
    "slider": ("Probability", "확률"),
    "live_boxes": ("{n}", "{n}"),
    "live_pictures": ("{n} pictures classified", "분류된 이미지 {n}"),
    "live_vanished": ("{n} less sure", "기준값 미만 {n}"),
    "by_vanishing": ("between the thresholds", "기준값 사이"),
    "by_boxes": ("classified", "분류됨"),
    "by_surest": ("probability", "확률"),
    "show_vanished": ("Mark pictures that are less sure", "기준값 미만인 이미지 표시"),
    "vanished": ("less sure", "기준값 미만"),
    "drawn": ("With its classes drawn:", "클래스를 쓴 이미지:"),
    "others_lead": (
        "Without a thumbnail, so that this page stays small. A name leads to the picture with its classes drawn, "
        "where there is one.",
        "페이지가 너무 커지지 않도록 미리보기를 넣지 않았습니다. 클래스를 쓴 이미지가 있으면 이름을 눌러 열 수 "
        "있습니다.",
    ),
    "boxes": ("classified", "분류됨"),
    "vanished_boxes": ("less sure", "기준값 미만"),
    "surest": ("probability", "확률"),
    "counts": ("By likeliest class and threshold", "가장 가능성이 높은 클래스와 기준값별"),
    "counts_lead": ("Of all pictures.", "전체 이미지 기준입니다."),
    "of_pictures": ("", ""),
    "no_boxes": ("No picture was classified so surely.", "이 확률 이상으로 분류된 이미지가 없습니다."),
}
"""Of pictures that are classified, each by its likeliest class."""

FOR_SCRIPTS = ("box_1", "box_n", "vanished", "matches", "more", "close", "previous", "next", "drawn", "original")
"""Keys of what detections.js says."""


def counted(say: Say, what: str, n: int) -> str:
    """`what` is a key before `_1` and `_n`: "1 box", "1,204 boxes"."""
    return say(f"{what}_{'1' if n == 1 else 'n'}", n=f"{n:,}")

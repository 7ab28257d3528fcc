"""Every word of the page of one attempt, in English and Korean. Names, settings and figures stay as they are."""

from __future__ import annotations

from yolo_pipeline.reporting.pages.saying import Both

_HEAD: dict[str, Both] = {
    "attempt": ("Attempt {number}", "시도 {number}"),
    "attempt_titled": ("Attempt {number}: {title}", "시도 {number}: {title}"),
    "built_on": ("built on attempt {base}", "시도 {base}에서 출발"),
    "imported": ("made elsewhere, imported from {file}", "다른 곳에서 학습한 결과 (가져온 파일: {file})"),
    "epochs": ("{n} epochs", "{n} 에포크"),
    "n_steps": ("{n} steps", "{n} 스텝"),
    "contents": ("On this page", "이 페이지의 내용"),
    "figures": ("Figures", "지표"),
    "figures_lead": (
        "On val, the images that every choice is made on. Figures in brackets are 95 % intervals: how far the "
        "figure may move with the choice of images. They do not cover the luck of training.",
        "모든 선택의 기준인 val 이미지에서 잰 값입니다. 괄호 안은 95 % 구간으로, 어떤 이미지가 뽑혔는지에 따라 값이 "
        "달라질 수 있는 범위입니다. 학습의 우연은 포함하지 않습니다.",
    ),
    "range": ("{low} to {high}", "{low}~{high}"),
    "at_conf": ("at confidence {conf}", "신뢰도 {conf} 기준"),
    "at_best": (
        "Precision, recall and F1 at confidence {conf}, where F1 of this split is best.",
        "정밀도, 재현율, F1은 이 분할의 F1이 가장 높은 신뢰도 {conf} 기준입니다.",
    ),
    "on_test": ("test: {value}", "test: {value}"),
    "own_figures": ("Own figures, not the judge's", "자체 값 (공통 채점기의 값이 아님)"),
    "own_short": ("own", "자체 값"),
    "judges": ("the judge's", "공통 채점기"),
    "own_lead": (
        "As the framework or the makers of the run report them, by their own definitions.",
        "프레임워크나 만든 이가 자체 정의에 따라 보고한 값입니다.",
    ),
    "not_judged": (
        "No detections were saved, so nothing could be judged.",
        "저장된 검출 결과가 없어 채점하지 못했습니다.",
    ),
    "explained": ("What these figures mean", "지표 설명"),
    "classes": ("By class", "클래스별"),
    "class": ("class", "클래스"),
    "truths": ("objects", "객체 수"),
}

_ADVICE: dict[str, Both] = {
    "advice": ("What to try next", "다음에 해볼 것"),
    "advice_none": (
        "Nothing found: no rule was triggered by what was measured.",
        "발견된 문제가 없습니다. 측정값에 해당하는 규칙이 하나도 없었습니다.",
    ),
    "advice_unknown": (
        "Nothing was judged, so there is little to advise on.",
        "채점된 결과가 없어 조언할 것이 거의 없습니다.",
    ),
    "measured": ("Measured", "측정값"),
    "cause": ("Cause", "원인"),
    "settings_to": ("Settings", "설정"),
    "removed": ("removed", "삭제"),
    "by_hand": ("Work by hand: no setting does it.", "설정으로는 해결되지 않으며 손으로 작업해야 합니다."),
    "source": ("Source", "출처"),
    "images_n": ("Images ({n})", "이미지 ({n}장)"),
    "changed": ("What was changed", "바꾼 점"),
    "changed_new": ("This attempt has no base: everything is new.", "바탕이 되는 시도가 없습니다. 모두 새 설정입니다."),
    "changed_none": ("Nothing against attempt {base}.", "시도 {base}에서 바꾼 것이 없습니다."),
    "dealt_again": (
        "The split was dealt again: figures cannot be compared directly with those of the base.",
        "데이터를 다시 나누었으므로 바탕 시도의 값과 직접 비교할 수 없습니다.",
    ),
    "of_one_track": (
        "Left out here: {n} settings of training that only one of the two tracks has.",
        "두 트랙 중 한쪽에만 있는 학습 설정 {n}개는 여기에서 뺐습니다.",
    ),
    "told": ("As its makers tell it: {changes}.", "만든 이의 설명: {changes}."),
    "setting": ("setting", "설정"),
    "before": ("attempt {base}", "시도 {base}"),
    "after": ("attempt {number}", "시도 {number}"),
}

_CURVES: dict[str, Both] = {
    "training": ("Training", "학습 곡선"),
    "no_curves": ("The run left no curves.", "저장된 학습 곡선이 없습니다."),
    "epoch": ("epoch", "에포크"),
    "best_epoch": ("best: {best}", "최고: {best}"),
    "step": ("step", "스텝"),
    "read_best": (
        "Best {metric} on val in epoch {best} of {epochs} (at most {asked}).",
        "val {metric} 값은 에포크 {best}에서 가장 높았습니다 (총 {epochs} 에포크, 최대 {asked}).",
    ),
    "read_no_map": (
        "In {epochs} epochs (at most {asked}) no mAP on val came above 0.",
        "{epochs} 에포크 동안(최대 {asked}) val mAP가 0을 넘은 적이 없습니다.",
    ),
    "read_early": ("Patience ended it early.", "개선이 없어 일찍 멈추었습니다 (patience)."),
    "read_falling": (
        "Over the last fifth of the epochs the loss on val still fell by {share} of its highest value.",
        "마지막 1/5 구간에서도 val 손실이 최댓값의 {share}만큼 더 줄었습니다.",
    ),
    "read_rise": (
        "The loss on val was lowest around epoch {lowest} and ends {rise} above that; since then the loss on train "
        "fell by {fall}.",
        "val 손실은 에포크 {lowest} 무렵 가장 낮았고 마지막에는 그보다 {rise} 높았습니다. 그동안 train 손실은 {fall} "
        "줄었습니다.",
    ),
    "read_best_step": (
        "Best {metric} on val at step {best} of {epochs} (at most {asked}).",
        "val {metric} 값은 스텝 {best}에서 가장 높았습니다 (총 {epochs} 스텝, 최대 {asked}).",
    ),
    "read_no_map_step": (
        "In {epochs} steps (at most {asked}) no mAP on val came above 0.",
        "{epochs} 스텝 동안(최대 {asked}) val mAP가 0을 넘은 적이 없습니다.",
    ),
    "read_falling_step": (
        "Over the last evaluations the loss on val still fell by {share} of its highest value.",
        "마지막 평가들에서도 val 손실이 최댓값의 {share}만큼 더 줄었습니다.",
    ),
    "read_rise_step": (
        "The loss on val was lowest at step {lowest} and ends {rise} above that; since then the loss on train fell "
        "by {fall}.",
        "val 손실은 스텝 {lowest}에서 가장 낮았고 마지막에는 그보다 {rise} 높았습니다. 그동안 train 손실은 {fall} "
        "줄었습니다.",
    ),
    "read_apart": (
        "From step {apart} on the loss on train came apart: it is no number, or half as high again as it began.",
        "스텝 {apart}부터 train 손실이 발산했습니다 (숫자가 아니거나 처음의 1.5배를 넘음).",
    ),
    "curve_thin": (
        "Thin: single steps. Bold: the mean of the steps around.",
        "가는 선은 각 스텝의 값, 굵은 선은 앞뒤 스텝의 평균입니다.",
    ),
    "curve_help": (
        "Click a name below a plot to switch its curve off; drag to zoom, double-click to zoom out.",
        "그래프 아래 이름을 누르면 그 곡선을 끌 수 있습니다. 끌어서 확대하고 두 번 눌러 되돌립니다.",
    ),
    "confidence": ("Precision, recall and confidence", "정밀도, 재현율, 신뢰도"),
    "pr_title": ("Precision over recall, by class", "클래스별 정밀도-재현율"),
    "conf_title": ("Over confidence", "신뢰도에 따른 변화"),
    "precision": ("precision", "정밀도"),
    "recall": ("recall", "재현율"),
    "f1": ("F1", "F1"),
    "boxes_an_image": ("boxes an image", "이미지당 박스 수"),
    "conf": ("confidence", "신뢰도"),
    "best_f1": ("best F1 {conf}", "최고 F1 {conf}"),
    "best_lead": (
        "F1 is best at confidence {conf}: there {boxes} boxes an image, precision {precision}, recall {recall}.",
        "F1은 신뢰도 {conf}에서 가장 높습니다. 이때 이미지당 박스는 {boxes}개, 정밀도는 {precision}, 재현율은 "
        "{recall}입니다.",
    ),
    "at_half": (
        "At confidence 0.5, {boxes} boxes an image are left, and recall is {recall}.",
        "신뢰도 0.5에서는 이미지당 박스 {boxes}개가 남고 재현율은 {recall}입니다.",
    ),
    "calibration": ("Is the score the chance to be right?", "점수는 맞을 확률과 같은가?"),
    "calibration_lead": (
        "Expected calibration error {error}. Points below the diagonal: the model is surer than it is right.",
        "기대 보정 오차(ECE)는 {error}입니다. 점이 대각선 아래에 있으면 실제보다 지나치게 확신한다는 뜻입니다.",
    ),
    "score_mean": ("mean score", "평균 점수"),
    "share_right": ("share that is right", "맞은 비율"),
    "perfect": ("perfect", "이상적"),
    "bin": ("{n} detections", "검출 {n}개"),
}

_MISTAKES: dict[str, Both] = {
    "errors": ("Kinds of errors", "오류의 종류"),
    "errors_lead": (
        "TIDE's six kinds. dAP is what AP50 would gain if all errors of the kind were mended; counts are at "
        "confidence {conf}.",
        "TIDE의 여섯 종류입니다. dAP는 그 종류의 오류를 모두 고쳤을 때 AP50이 오르는 폭이며, 개수는 신뢰도 {conf} "
        "기준입니다.",
    ),
    "kind": ("kind", "종류"),
    "count": ("count", "개수"),
    "meaning": ("what it is", "뜻"),
    "median_iou": (
        "Boxes of the right class overlap their object by a median IoU of {iou}.",
        "클래스가 맞은 박스와 객체가 겹치는 정도(IoU)의 중앙값은 {iou}입니다.",
    ),
    "matrix": ("What was taken for what", "무엇을 무엇으로 보았나"),
    "matrix_lead": (
        "Rows are what is there, columns what the model said, at confidence {conf}. A box counts as "
        "background where it overlaps no object by IoU 0.5, or only one that a surer box of any class has taken. "
        "Press a number to see the crops behind it.",
        "행은 실제 객체, 열은 모델의 답입니다 (신뢰도 {conf}). 어떤 객체와도 IoU 0.5 이상 겹치지 않거나, 신뢰도가 "
        "더 높은 다른 박스가 이미 차지한 객체에만 겹치는 박스는 배경으로 셉니다. "
        "숫자를 누르면 해당 부분을 볼 수 있습니다.",
    ),
    "there_said": ("there / said", "실제 / 모델"),
    "background": ("background", "배경"),
    "cell": ("{truth} taken for {said}: {n}", "'{truth}' 클래스를 '{said}' 클래스로 봄: {n}"),
    "cell_hit": ("{truth} found: {n}", "'{truth}' 클래스를 바르게 찾음: {n}"),
    "cell_missed": ("{truth} missed: {n}", "'{truth}' 클래스를 놓침: {n}"),
    "cell_false": ("{said} where nothing is: {n}", "아무것도 없는 곳을 '{said}' 클래스로 봄: {n}"),
    "pairs": ("Classes taken for one another", "서로 혼동한 클래스"),
    "pair": ("{truth} taken for {said}, {n}", "'{truth}' 클래스를 '{said}' 클래스로 {n}"),
    "times": ("{n} times", "{n}번 보았습니다"),
    "once": ("once", "1번 보았습니다"),
    "pair_share": ("{share} of all {truth}", "'{truth}' 객체의 {share}"),
    "pairs_none": ("No class was taken for another.", "다른 클래스로 혼동한 경우가 없습니다."),
    "show": ("Show", "보기"),
    "missed": ("Missed objects", "놓친 객체"),
    "missed_lead": (
        "Objects that no box found, under any class, at confidence {conf}.",
        "신뢰도 {conf}에서 클래스와 상관없이 어떤 박스도 찾지 못한 객체입니다.",
    ),
    "by_size": ("By size, the longer side as the model sees it", "크기별 (모델이 보는 긴 변)"),
    "size": ("pixels", "픽셀"),
    "share": ("share", "비율"),
    "missed_n": ("missed", "놓침"),
    "alarms": ("False alarms", "오검출"),
    "alarms_lead": (
        "Boxes where nothing is: {boxes}. Images without objects: {backgrounds}, of which with boxes: {fired} "
        "({fired_boxes} in all).",
        "아무것도 없는 곳에 박스 {boxes}개가 나왔습니다. 객체가 없는 이미지 {backgrounds}장 중 {fired}장에 박스가 "
        "있습니다 (모두 {fired_boxes}개).",
    ),
    "no_backgrounds": (
        "Boxes where nothing is: {boxes}. The split has no images without objects.",
        "아무것도 없는 곳에 박스 {boxes}개가 나왔습니다. 이 분할에는 객체가 없는 이미지가 없습니다.",
    ),
    "fired": ("Images without objects that got boxes", "객체가 없는데 박스가 나온 이미지"),
    "suspects": ("Labels to look at", "확인할 라벨"),
    "suspects_lead": (
        "The model disagrees with these labels, the surest first. It may be the model that is wrong: look before you "
        "change.",
        "모델이 라벨과 다르게 본 곳을 확신이 큰 순서로 보여 줍니다. 모델이 틀렸을 수도 있으니 고치기 전에 확인하세요.",
    ),
    "suspects_where": (
        "The pictures lie with annotations ready for LabelImg in this folder: {folder}",
        "이미지와 LabelImg에서 바로 열 수 있는 XML이 다음 폴더에 있습니다: {folder}",
    ),
    "suspects_none": ("The model disagrees with no label.", "모델이 라벨과 다르게 본 곳이 없습니다."),
    "suspects_shown": ("Shown: the first {shown} of {all}.", "전체 {all}개 중 처음 {shown}개만 보입니다."),
    "missing": ("not labelled", "라벨 없음"),
    "wrong class": ("another class", "다른 클래스"),
    "loose": ("loose box", "느슨한 박스"),
    "group": ("one box around several", "여러 객체를 하나로 묶은 박스"),
}

_GALLERY: dict[str, Both] = {
    "gallery": ("The pictures, the worst first", "이미지: 오류가 많은 순"),
    "gallery_lead": (
        "Move the confidence: boxes and counts follow. Press a picture to enlarge it.",
        "신뢰도를 움직이면 박스와 개수가 바뀝니다. 이미지를 누르면 크게 볼 수 있습니다.",
    ),
    "slider": ("Confidence", "신뢰도"),
    "reset": ("Back to {conf}", "처음 값({conf})으로 되돌리기"),
    "n_boxes": ("boxes", "박스"),
    "n_found": ("found", "찾음"),
    "n_missed": ("missed", "놓침"),
    "n_false": ("false", "오검출"),
    "counts_lead": (
        "Of all {images} images and {truths} objects; found means IoU 0.5 and the right class.",
        "이미지 {images}장, 객체 {truths}개 전체 기준입니다. IoU 0.5 이상이고 클래스가 맞으면 찾은 것으로 셉니다.",
    ),
    "key_truth": ("object", "실제 객체"),
    "key_missed": ("missed object", "놓친 객체"),
    "key_hit": ("right", "맞음"),
    "key_false": ("wrong", "틀림"),
    "more": ("Show more ({n} left)", "더 보기 ({n}장 남음)"),
    "close": ("Close", "닫기"),
    "no_picture": ("no picture", "이미지 없음"),
    "crops_of": ("{shown} of {all} shown", "{all}개 중 {shown}개 표시"),
    "there": ("there", "실제"),
    "said": ("said", "모델"),
    "floor": (
        "Boxes below confidence {floor} are left out of this page.",
        "신뢰도 {floor} 미만의 박스는 이 페이지에 없습니다.",
    ),
    "test": ("Test", "테스트(test)"),
    "test_lead": (
        "Images that nothing was chosen on: how the model does on new pictures. Choosing by these figures would spoil "
        "them.",
        "어떤 선택에도 쓰지 않은 이미지로, 새 이미지에서의 성능을 보여 줍니다. 이 값을 보고 무언가를 고르면 더는 "
        "믿을 수 없는 값이 됩니다.",
    ),
    "test_pictures": ("Test pictures, the worst first", "test 이미지: 오류가 많은 순"),
}

_MAKING: dict[str, Both] = {
    "settings": ("Settings", "설정"),
    "settings_lead": (
        "Asked: what the attempt says. Used: what the framework tells of itself; a dash where it does not tell.",
        "지정한 값은 시도 파일에 적힌 값이고, 실제 사용값은 프레임워크가 알려 준 값입니다. 알려 주지 않은 곳은 줄표로 "
        "둡니다.",
    ),
    "asked": ("asked", "지정한 값"),
    "used": ("used", "실제 사용값"),
    "model": ("model", "모델"),
    "weights": ("weights", "가중치"),
    "head": ("dense layers", "밀집층(head)"),
    "scratch": ("from scratch", "처음부터"),
    "parameters": ("{n} parameters", "파라미터 {n}개"),
    "data": ("Data", "데이터"),
    "split": ("split", "분할"),
    "images": ("images", "이미지"),
    "boxes": ("boxes", "박스"),
    "backgrounds": ("backgrounds", "배경 이미지"),
    "reading": (
        "Reading mended {fixed} things, left out {dropped} objects and did not use {skipped} files.",
        "데이터를 읽으면서 {fixed}건을 고치고, 객체 {dropped}개를 제외하고, 파일 {skipped}개를 쓰지 않았습니다.",
    ),
    "audit": ("Findings of the audit", "데이터 점검 결과"),
    "audit_none": ("The audit found nothing to look at.", "점검에서 발견된 문제가 없습니다."),
    "audit_missing": ("The run did not note its audit.", "이 실행에는 점검 결과가 기록되지 않았습니다."),
    "fault": ("fault", "오류"),
    "warning": ("warning", "경고"),
    "note": ("note", "참고"),
    "making": ("How it was made", "만든 과정"),
    "started": ("started", "시작"),
    "device": ("device", "장치"),
    "seed": ("seed", "시드"),
    "build": ("building the data", "데이터 구성"),
    "train": ("training", "학습"),
    "judge": ("judging", "채점"),
    "an_image": ("an image", "이미지당"),
    "weights_size": ("size of the weights", "가중치 파일 크기"),
    "git": ("git commit", "git 커밋"),
    "fingerprint": ("data fingerprint", "데이터 지문"),
    "seconds": ("{n} s", "{n}초"),
    "milliseconds": ("{n} ms", "{n} ms"),
}

WORDS: dict[str, Both] = {**_HEAD, **_ADVICE, **_CURVES, **_MISTAKES, **_GALLERY, **_MAKING}

SIZES: dict[str, Both] = {
    "under 8 px": ("under 8", "8 미만"),
    "8 to 16 px": ("8 to 16", "8~16"),
    "16 to 32 px": ("16 to 32", "16~32"),
    "32 to 96 px": ("32 to 96", "32~96"),
    "above 96 px": ("above 96", "96 초과"),
}
"""Names of sizes in a diagnosis."""

FOR_SCRIPTS = ("n_found", "n_missed", "n_false", "more", "close", "no_picture", "crops_of", "there", "said")
"""Keys of what attempt.js says."""

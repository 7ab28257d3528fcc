"""What each rule says in Korean, filled from the same figures.

No particle follows a name or a number of the figures directly: which one it must be hangs on how the word ends.
"""

from __future__ import annotations

from dataclasses import replace

from yolo_pipeline.advising.words import Words, fill
from yolo_pipeline.diagnosis import Advice

KOREAN: dict[str, Words] = {
    "leakage": Words(
        "평가 이미지 {judged}장 중 {pictures}장({share:percent})이 다른 split에도 똑같이, 또는 거의 똑같이 들어 있음",
        "이미 본 이미지로 평가하는 셈이라 점수가 실제보다 높게 나옴",
        "비슷한 이미지가 한 split에 모이도록 데이터를 다시 나눌 것. 이전 점수와는 직접 비교할 수 없음",
    ),
    "divided photos": Words(
        "같은 사진에서 나온 이미지들이 서로 다른 split에 나뉘어 있음(사진 {photos}장)",
        "학습에 쓴 사진의 다른 버전으로 평가하게 되어 점수가 부풀려짐",
        "데이터를 다시 나눌 것. 같은 사진의 버전들은 한 split에 모임",
    ),
    "contradicting labels": Words(
        "한 객체에 두 클래스의 박스가 있거나, 같은 이미지인데 라벨이 다른 이미지가 {pictures}장",
        "같은 것에 서로 다른 정답을 가르치게 되고, 평가에서는 그중 하나가 오답이 됨",
        "해당 이미지에서 맞는 라벨만 남길 것",
    ),
    "wrong labels": Words(
        "val 객체 {truths}개 중 {labels}개({share:percent})를 모델이 라벨과 다른 클래스로 확신함. 가장 많은 "
        "클래스: {classes}",
        "잘못된 클래스 라벨은 틀린 것을 가르치고, 맞힌 것도 오답으로 계산되게 함",
        "해당 이미지를 확인해 틀린 라벨을 고치고, train 라벨도 같은 방법으로 점검할 것",
    ),
    "missing labels": Words(
        "라벨이 있는 val 이미지에서 라벨이 없는 객체 {labels}개를 모델이 확신함(라벨이 있는 객체는 {truths}개)",
        "라벨이 빠진 객체는 배경으로 학습되고, 찾아내도 오탐으로 계산됨",
        "해당 이미지를 확인해 빠진 라벨을 추가하고, train에서도 같은 누락이 있는지 찾아볼 것",
    ),
    "more epochs": Words(
        "epoch {epochs}회로 학습이 끝났고 가장 좋은 epoch은 {best}번째. 마지막 5분의 1 구간에서도 val loss가 "
        "최댓값의 {fell:percent}만큼 계속 떨어지고 있었음",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝남",
        "epochs를 {wanted}까지 늘릴 것. 더 나아지지 않으면 patience가 먼저 끝내 줌",
    ),
    "hardly any epochs": Words(
        "epoch {epochs}회로 학습이 끝남. warm-up에만 3 epoch이 걸림",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝남",
        "epochs를 {wanted}까지 늘릴 것. 더 나아지지 않으면 patience가 먼저 끝내 줌",
    ),
    "larger pictures": Words(
        "imgsz {imgsz}에서 val 객체 {truths}개 중 {small}개가 16픽셀보다 작고, 그중 {missed}개({share:percent})를 놓침",
        "모델의 가장 촘촘한 격자도 한 칸이 8픽셀이라, 이런 객체는 두 칸도 채 차지하지 못함",
        "학습과 검출 모두 imgsz를 {wanted}까지 높일 것. 메모리가 모자라면 batch를 줄이고, 원본 이미지가 더 작다면 더 "
        "크게 찍은 이미지를 쓸 것",
    ),
    "overfitting": Words(
        "val loss는 {epochs} epoch 중 {lowest}번째에서 가장 낮았고 그 뒤 {rise:percent} 올랐는데, train loss는 "
        "{fall:percent} 더 떨어짐",
        "train 이미지 {pictures}장을 외워 버린 과적합",
        "이미지를 더 모을 것. 그 전까지는 사전학습 가중치에서 시작해 더 적은 층을 더 짧게, augmentation과 함께 "
        "학습할 것: {how}",
    ),
    "smaller model": Words(
        "{model} 모델이 train 이미지 {pictures}장에 과적합됨: val loss가 epoch {lowest} 이후 {rise:percent} 올라감",
        "이미지 수에 비해 모델이 커서 이미지를 통째로 외울 수 있음",
        "{smaller} 모델로 학습할 것. 이 정도 데이터에서는 정확도가 비슷하고 훨씬 빠름",
    ),
    "mirrored classes": Words(
        "{setting} 설정이 다음 클래스를 뒤집거나 돌려서 보여 줌: {classes}. 이 클래스들의 val mAP50은 {ap:.3f}",
        "뒤집거나 돌리면 다른 기호가 되거나 없는 기호가 되는데도 원래 이름으로 학습됨",
        "이 설정을 끌 것",
    ),
    "confused pair": Words(
        "val에서 '{truth}' 클래스를 '{said}' 클래스로 잘못 인식한 경우가 {count}번(해당 클래스 객체의 {share:percent})",
        "모델에게 두 클래스가 비슷하게 보임. 구분할 만한 예시가 부족하거나 라벨이 섞여 있음",
        "해당 이미지를 확인해 틀린 라벨을 고치고 두 클래스의 이미지를 더 모을 것. 구분할 필요가 없다면 "
        "`rename:`으로 합치거나 `classes:`에서 하나를 뺄 것",
    ),
    "background images": Words(
        "객체가 없는 val 이미지 {backgrounds}장 중 {fired}장에서 객체 {boxes}개를 잘못 검출함. train의 배경 이미지 "
        "비율은 {share:percent}",
        "무엇이 객체가 아닌지 학습할 예시가 거의 없었음",
        "배경 이미지(no object)를 train의 10 %까지 추가할 것. 잘못 검출한 것과 비슷한 이미지가 가장 좋음(val "
        "이미지는 val에 그대로 둘 것)",
    ),
    "rare class": Words(
        "'{name}' 클래스의 train 박스는 {boxes}개, 가장 많은 클래스는 {largest}개. val AP50은 {ap:.3f}, 나머지 "
        "클래스 평균은 {others:.3f}",
        "예시가 이렇게 적으면 배우기보다 외우게 되고, 다른 클래스에 묻힘",
        "'{name}' 클래스의 이미지를 더 모아 박스를 적어도 {wanted}개로 늘릴 것. 클래스 가중치는 임시방편임",
    ),
    "loose boxes": Words(
        "찾은 val 객체의 IoU 중앙값은 {iou:.2f}, 모델이 느슨하다고 보는 박스는 {loose}개",
        "객체 둘레의 여백이 제각각이면 그보다 정확하게는 배울 수 없음",
        "bounding box를 객체에 딱 맞게 다시 그릴 것. train도 마찬가지",
    ),
    "group boxes": Words(
        "여러 객체를 한 묶음으로 박스 처리한 이미지가 {pictures}장",
        "묶음과 낱개가 같은 이름이면, 객체 하나가 무엇인지 두 가지로 가르치는 셈",
        "객체마다 박스를 따로 그리고 묶음 박스는 지울 것",
    ),
    "confidence": Words(
        "이 시도에서 쓰는 conf {conf:.2f} 이상에서 val F1은 {f1:.3f}(precision {precision:.3f}, recall "
        "{recall:.3f}), conf {best:.2f} 이상에서는 {f1_best:.3f}",
        "이 모델에 맞춰 고른 conf가 아니어서, 맞게 찾은 박스가 사라지거나 틀린 박스가 남음",
        "detect.conf를 지울 것. val에서 F1이 가장 높은 conf가 쓰임",
    ),
    "larger val set": Words(
        "val mAP50은 {low:.3f} ~ {high:.3f} 사이(val {pictures}장을 다시 뽑았을 때의 {confidence:percent} 구간)",
        "이미지가 적어서 어떤 이미지가 뽑혔는지에 따라 점수가 달라짐. 시도 사이의 작은 차이는 우연과 구별되지 않음",
        "val 이미지를 모두 {wanted}장 정도로 늘릴 것. 그 전까지는 이보다 작은 차이를 개선으로 보지 말 것",
    ),
    "larger model": Words(
        "{model} 모델은 train 이미지 {pictures}장에서 배울 만큼 배움: {epochs} epoch 뒤 val loss가 더 떨어지지 "
        "않고 val mAP50은 {ap:.3f}",
        "구분해야 할 것에 비해 모델이 작음",
        "{larger} 모델로 학습할 것",
    ),
}


def in_korean(advice: Advice) -> Advice:
    """The same advice with its sentences in Korean; the source keeps its name."""
    words = KOREAN[advice.rule]
    return replace(
        advice,
        measured=fill(words.measured, advice.figures),
        cause=fill(words.cause, advice.figures),
        remedy=fill(words.remedy, advice.figures),
    )

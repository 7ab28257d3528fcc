"""What each rule says in Korean, filled from the same figures.

No particle follows a name or a number of the figures directly: which one it must be hangs on how the word ends.
"""

from __future__ import annotations

from dataclasses import replace

from yolo_pipeline.advising.words import Words, fill, said_of
from yolo_pipeline.diagnosis import Advice

KOREAN: dict[str, Words] = {
    "leakage": Words(
        "평가 이미지 {judged}장 중 {pictures}장({share:percent})이 다른 분할에도 똑같이 또는 거의 똑같이 들어 있습니다",
        "이미 본 이미지로 평가하는 셈이어서 점수가 새 이미지에서보다 높게 나옵니다",
        "비슷한 이미지가 한 분할에 모이도록 데이터를 다시 나누세요. 이전 점수와는 직접 비교할 수 없습니다",
    ),
    "divided photos": Words(
        "원본 이미지 {photos}장의 여러 버전이 서로 다른 분할에 나뉘어 있습니다",
        "학습에 쓴 이미지의 다른 버전으로 평가하게 되어 점수가 실제보다 높게 나옵니다",
        "데이터를 다시 나누세요. 같은 원본의 버전은 한 분할에 모입니다",
    ),
    "contradicting labels": Words(
        "한 객체에 두 클래스의 박스가 있거나, 같은 이미지인데 라벨이 서로 다른 이미지가 {pictures}장 있습니다",
        "같은 것에 서로 다른 정답을 가르치게 되고, 채점할 때 그중 하나는 오답이 됩니다",
        "해당 이미지에서 맞는 라벨만 남기세요",
    ),
    "wrong labels": Words(
        "val 객체 {truths}개 중 {labels}개({share:percent})를 모델이 라벨과 다른 클래스로 확신합니다. 가장 많은 "
        "클래스는 다음과 같습니다: {classes}",
        "클래스가 잘못된 라벨은 틀린 것을 가르치고, 채점할 때 맞힌 것도 오답으로 만듭니다",
        "해당 이미지를 확인해 틀린 라벨을 고치고, train 라벨도 같은 방법으로 점검하세요",
    ),
    "missing labels": Words(
        "라벨이 있는 val 이미지에서 라벨이 없는 객체 {labels}개를 모델이 높은 신뢰도로 찾았습니다 (라벨이 있는 객체는 "
        "{truths}개)",
        "라벨이 빠진 객체는 배경으로 학습되고, 모델이 찾아내도 오검출로 계산됩니다",
        "해당 이미지를 확인해 빠진 라벨을 추가하고, train에도 같은 누락이 있는지 확인하세요",
    ),
    "more epochs": Words(
        "{epochs} 에포크로 학습이 끝났고 에포크 {best} 결과가 가장 좋았습니다. 마지막 1/5 구간에서도 val 손실이 계속 "
        "줄고 있었습니다 (최댓값의 {fell:percent})",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝났습니다",
        "epochs를 늘리세요 ({wanted} 에포크). 더 나아지지 않으면 patience 설정에 따라 먼저 멈춥니다",
    ),
    "hardly any epochs": Words(
        "{epochs} 에포크 만에 학습이 끝났습니다. 워밍업에만 3 에포크가 걸립니다",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝났습니다",
        "epochs를 늘리세요 ({wanted} 에포크). 더 나아지지 않으면 patience 설정에 따라 먼저 멈춥니다",
    ),
    "more steps": Words(
        "{steps:,} 스텝으로 학습이 끝났고 스텝 {best:,} 결과가 가장 좋았습니다. 마지막 평가들에서도 val 손실이 계속 "
        "줄고 있었습니다 (최댓값의 {fell:percent})",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝났습니다",
        "steps를 늘리세요 ({wanted:,} 스텝). val 평가가 가장 좋았던 가중치가 남습니다",
    ),
    "hardly any steps": Words(
        "{steps:,} 스텝 만에 학습이 끝났습니다. 보통 쓰는 {usual:,} 스텝에서는 워밍업에만 {warm:,} 스텝이 걸립니다",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝났습니다",
        "steps를 늘리세요 ({wanted:,} 스텝). val 평가가 가장 좋았던 가중치가 남습니다",
    ),
    "diverged": Words(
        "총 {steps:,} 스텝 중 스텝 {apart:,}부터 끝까지 train 손실이 숫자가 아니거나 처음의 1.5배를 넘습니다 "
        "(learning_rate_base {rate:g})",
        "이 모델과 배치에 비해 가중치를 한 번에 너무 크게 바꾸어, 배운 것을 잃고 되찾지 못했습니다 (발산)",
        "learning_rate_base를 낮추고({wanted:g} 이하), 그 1/3에서 시작해 전체 스텝의 1/10 동안 워밍업하고, 그래디언트 "
        "클리핑을 켜 두세요",
    ),
    "larger pictures": Words(
        "imgsz {imgsz} 기준으로 val 객체 {truths}개 중 {small}개가 16픽셀보다 작으며, 모델이 그중 "
        "{missed}개({share:percent})를 놓쳤습니다",
        "모델의 가장 촘촘한 격자도 한 칸이 8픽셀이어서 이런 객체는 두 칸도 채우지 못합니다",
        "학습과 검출 모두 imgsz를 높이세요 (imgsz {wanted}). 메모리가 부족하면 batch를 줄이고, 원본 이미지가 그보다 "
        "작으면 더 크게 찍은 이미지를 쓰세요",
    ),
    "overfitting": Words(
        "val 손실은 총 {epochs} 에포크 중 에포크 {lowest} 때 가장 낮았고 그 뒤 {rise:percent} 올랐습니다. 그동안 "
        "train 손실은 {fall:percent} 줄었습니다",
        "모델이 train 이미지 {pictures}장을 외워 버렸습니다 (과적합)",
        "이미지를 더 모으세요. 그 전까지는 사전학습된 가중치에서 시작해 더 적은 층을 더 짧게 학습하고 데이터 증강을 "
        "쓰세요 (관련 설정: {how})",
    ),
    "smaller model": Words(
        "{model} 모델이 train 이미지 {pictures}장에 과적합되었습니다. val 손실이 에포크 {lowest} 이후 {rise:percent} "
        "올랐습니다",
        "이미지 수에 비해 모델이 커서 이미지를 통째로 외울 수 있습니다",
        "{smaller} 모델로 학습하세요. 이미지가 이 정도로 적으면 정확도는 비슷하고 훨씬 빠릅니다",
    ),
    "mirrored classes": Words(
        "{setting} 설정 때문에 다음 클래스가 뒤집히거나 돌아간 모습으로 학습됩니다: {classes} (이 클래스들의 val mAP50 "
        "{ap:.3f})",
        "뒤집거나 돌리면 다른 기호가 되거나 없는 기호가 되는데도 원래 이름으로 학습됩니다",
        "이 설정을 끄세요",
    ),
    "confused pair": Words(
        "val에서 한 클래스를 다른 클래스로 혼동했습니다 (실제 → 모델). {truth} → {said}: {count}번 (실제 클래스 객체의 "
        "{share:percent})",
        "모델에게는 두 클래스가 비슷하게 보입니다. 구분할 만한 예시가 부족하거나 라벨이 섞여 있습니다",
        "해당 이미지를 확인해 틀린 라벨을 고치고 두 클래스의 이미지를 더 모으세요. 구분할 필요가 없다면 "
        "`rename:`으로 합치거나 `classes:`에서 하나를 빼세요",
    ),
    "background images": Words(
        "객체가 없는 val 이미지 {backgrounds}장 중 {fired}장에서 오검출이 나왔습니다 (박스 {boxes}개). train에는 배경 "
        "이미지가 부족합니다 (전체의 {share:percent})",
        "무엇이 객체가 아닌지 배울 예시가 거의 없었습니다",
        "train에 배경 이미지를 10 %까지 추가하세요. 오검출이 나온 이미지와 비슷한 것이 가장 좋습니다 (val 이미지는 "
        "val에 그대로 두세요)",
    ),
    "rare class": Words(
        "'{name}' 클래스의 train 박스는 {boxes}개로, 가장 많은 클래스({largest}개)보다 적습니다. val AP50도 나머지 "
        "클래스보다 낮습니다 ({ap:.3f}, 나머지 평균 {others:.3f})",
        "예시가 이렇게 적으면 배우기보다 외우게 되고, 다른 클래스에 묻힙니다",
        "'{name}' 클래스의 이미지를 더 모아 박스를 적어도 {wanted}개로 늘리세요. 클래스 가중치는 임시방편입니다",
    ),
    "loose boxes": Words(
        "val에서 찾은 객체의 IoU 중앙값은 {iou:.2f}, 모델이 느슨하다고 본 박스는 {loose}개입니다",
        "객체 둘레의 여백이 박스마다 다르면 모델도 그보다 정확하게 배울 수 없습니다",
        "박스를 객체에 꼭 맞게 다시 그리세요. train 박스도 마찬가지입니다",
    ),
    "group boxes": Words(
        "여러 객체를 하나로 묶은 박스가 있는 이미지가 {pictures}장 있습니다",
        "묶음과 낱개의 이름이 같으면 무엇이 객체 하나인지 서로 다르게 가르치게 됩니다",
        "객체마다 박스를 따로 그리고 묶은 박스는 지우세요",
    ),
    "confidence": Words(
        "val F1은 신뢰도 {best:.2f} 기준일 때 가장 높습니다 ({f1_best:.3f}). 이 시도에서 쓰는 신뢰도 {conf:.2f} "
        "기준으로는 그보다 낮습니다 (F1 {f1:.3f}, 정밀도 {precision:.3f}, 재현율 {recall:.3f})",
        "이 모델에 맞추어 고른 신뢰도가 아니어서 맞은 박스가 빠지거나 틀린 박스가 남습니다",
        "detect.conf를 지우세요. 그러면 val F1이 가장 높은 신뢰도를 씁니다",
    ),
    "larger val set": Words(
        "val mAP50의 {confidence:percent} 구간이 넓습니다 ({low:.3f}~{high:.3f}, val {pictures}장 기준)",
        "이미지가 적어서 어떤 이미지가 뽑혔는지에 따라 점수가 달라집니다. 시도 사이의 더 작은 차이는 우연과 구별할 수 "
        "없습니다",
        "val 이미지를 모두 {wanted}장 정도로 늘리세요. 그 전까지는 이보다 작은 차이를 개선으로 보지 마세요",
    ),
    "larger model": Words(
        "{model} 모델은 train 이미지 {pictures}장에서 배울 수 있는 만큼 배웠습니다. {epochs} 에포크 뒤 val 손실이 더 "
        "줄지 않는데 val mAP50은 아직 낮습니다 ({ap:.3f})",
        "구분해야 할 것에 비해 모델이 작습니다",
        "{larger} 모델로 학습하세요",
    ),
}

TFAPI: dict[str, Words] = {
    "larger pictures": Words(
        "모델이 보는 {imgsz}픽셀 이미지에서 val 객체 {truths}개 중 {small}개가 16픽셀보다 작으며, 모델이 그중 "
        "{missed}개({share:percent})를 놓쳤습니다",
        "이런 객체의 길이는 이 모델들의 가장 작은 앵커의 절반도 되지 않고, 가장 촘촘한 격자에서도 두 칸을 채우지 "
        "못합니다",
        "객체를 더 크게 보여 주세요. 이 트랙의 모델은 {wanted}픽셀까지 볼 수 있습니다 (메모리가 부족하면 batch를 "
        "줄이세요). 그래도 부족하면 이미지를 나누어 자르거나 더 가까이에서 찍으세요",
    ),
    "overfitting": Words(
        "val 손실은 총 {epochs:,} 스텝 중 스텝 {lowest:,} 때 가장 낮았고 그 뒤 {rise:percent} 올랐습니다. 그동안 "
        "train 손실은 {fall:percent} 줄었습니다",
        "모델이 train 이미지 {pictures}장을 외워 버렸습니다 (과적합)",
        "이미지를 더 모으세요. 그 전까지는 사전학습된 가중치에서 시작해 더 적은 스텝만 학습하고 이미지를 무작위로 잘라 "
        "쓰세요 (관련 설정: {how})",
    ),
    "smaller model": Words(
        "{model} 모델이 train 이미지 {pictures}장에 과적합되었습니다. val 손실이 스텝 {lowest:,} 이후 {rise:percent} "
        "올랐습니다",
        "이미지 수에 비해 모델이 커서 이미지를 통째로 외울 수 있습니다",
        "{smaller} 모델로 학습하세요. 이미지가 이 정도로 적으면 정확도는 비슷하고 훨씬 빠릅니다",
    ),
    "larger model": Words(
        "{model} 모델은 train 이미지 {pictures}장에서 배울 수 있는 만큼 배웠습니다. {epochs:,} 스텝 뒤 val 손실이 더 "
        "줄지 않는데 val mAP50은 아직 낮습니다 ({ap:.3f})",
        "구분해야 할 것에 비해 모델이 작습니다",
        "{larger} 모델로 학습하세요. 시간은 몇 배 더 걸립니다",
    ),
    "rare class": Words(
        "'{name}' 클래스의 train 박스는 {boxes}개로, 가장 많은 클래스({largest}개)보다 적습니다. val AP50도 나머지 "
        "클래스보다 낮습니다 ({ap:.3f}, 나머지 평균 {others:.3f})",
        "예시가 이렇게 적으면 배우기보다 외우게 되고, 다른 클래스에 묻힙니다",
        "'{name}' 클래스의 이미지를 더 모아 박스를 적어도 {wanted}개로 늘리세요",
    ),
}
"""The same rules on the track tfapi, which goes by steps and has other settings."""

_OVERFITS = (
    "val 손실은 총 {epochs} 에포크 중 에포크 {lowest} 무렵 가장 낮았고 그 뒤 {rise:percent} 올랐습니다. 그동안 train "
    "손실은 {fall:percent} 줄었습니다. 남긴 가중치의 top-1은 train {train:.3f}, val {top1:.3f}입니다"
)

CLASSIFY: dict[str, Words] = {
    "mirrored classes": Words(
        "{setting} 설정 때문에 다음 클래스가 뒤집히거나 돌아간 모습으로 학습됩니다: {classes} (이 클래스들의 val F1 "
        "{f1:.3f})",
        "뒤집거나 돌리면 다른 기호가 되거나 없는 기호가 되는데도 원래 이름으로 학습됩니다",
        "이 설정을 끄거나, 사람이 기울여 쓰는 정도로만 돌리세요",
    ),
    "dropout": Words(
        f"{_OVERFITS} (드롭아웃 {{layers}})",
        "분류 층이 train 이미지 {pictures}장을 외워 버렸습니다 (과적합). 층의 출력들이 서로에게 기대게 됩니다",
        "학습할 때 층의 출력 가운데 {wanted:percent}를 무작위로 끄고(드롭아웃), val이 더 나아지지 않으면 조기 종료로 "
        "학습을 멈추세요",
    ),
    "overfitting": Words(
        _OVERFITS,
        "모델이 train 이미지 {pictures}장을 외워 버렸습니다 (과적합)",
        "이미지를 더 모으세요. 그 전까지는 외우지 못하게 하는 방법을 쓰세요: 조기 종료, 조금씩 바꾼 이미지, "
        "학습된 가중치의 고정, 더 작은 층 (여기서 바꿀 설정: {how})",
    ),
    "random backbone": Words(
        "{model} 모델이 무작위 가중치에서 시작했는데 대부분 고정되어 있었습니다. val top-1은 {top1:.3f}입니다",
        "이런 백본의 특징은 배운 것이 아니어서, 분류 층은 그중에서 고를 수밖에 없습니다",
        "학습된 가중치에서 시작하거나(`pretrained: true` 또는 `weights: FILE`), 전체를 학습하세요 (`freeze: none`)",
    ),
    "underfitting": Words(
        "top-1은 train {train:.3f}, val {top1:.3f}에 그치고, {epochs} 에포크 뒤 val 손실이 더 줄지 않습니다. 고정된 "
        "백본은 {model}, 그 위의 dense 층은 {layers}개입니다",
        "고정된 백본의 특징으로 클래스를 구분하기에는 학습하는 부분이 너무 작습니다",
        "dense 층을 하나 더하세요. 이미 여럿이라면 백본의 마지막 블록도 더 낮은 학습률로 학습하세요",
    ),
    "wrong labels": Words(
        "val 이미지 {pictures}장 중 {labels}장({share:percent})을 모델이 라벨과 다른 클래스로 확신합니다. 가장 많은 "
        "클래스는 다음과 같습니다: {classes}",
        "클래스가 잘못된 라벨은 틀린 것을 가르치고, 채점할 때 맞힌 것도 오답으로 만듭니다",
        "해당 이미지를 확인해 틀린 라벨을 고치고, train 라벨도 같은 방법으로 점검하세요",
    ),
    "contradicting labels": Words(
        "같은 이미지인데 라벨이 서로 다른 이미지가 {pictures}장 있습니다",
        "같은 것에 서로 다른 정답을 가르치게 되고, 채점할 때 그중 하나는 오답이 됩니다",
        "라벨이 맞는 이미지만 남기세요",
    ),
    "rare class": Words(
        "'{name}' 클래스의 train 이미지는 {pictures}장으로, 가장 많은 클래스({largest}장)보다 적습니다. val F1도 "
        "나머지 클래스보다 낮습니다 ({f1:.3f}, 나머지 평균 {others:.3f})",
        "예시가 이렇게 적으면 배우기보다 외우게 되고, 다른 클래스에 묻힙니다",
        "'{name}' 클래스의 이미지를 적어도 {wanted}장으로 늘리세요. 클래스 가중치는 임시방편입니다",
    ),
    "hardly any epochs": Words(
        "{epochs} 에포크 만에 학습이 끝났습니다",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝났습니다",
        "epochs를 늘리세요 ({wanted} 에포크). 더 나아지지 않으면 조기 종료가 먼저 멈춥니다",
    ),
    "more epochs": Words(
        "{epochs} 에포크로 학습이 끝났고 에포크 {best} 결과가 가장 좋았습니다. 마지막 1/5 구간에서도 val 손실이 계속 "
        "줄고 있었습니다 (최댓값의 {fell:percent})",
        "데이터에서 배울 것을 다 배우기 전에 학습이 끝났습니다",
        "epochs를 늘리세요 ({wanted} 에포크). 더 나아지지 않으면 조기 종료가 먼저 멈춥니다",
    ),
    "confused pair": Words(
        "val에서 한 클래스를 다른 클래스로 혼동했습니다 (실제 → 모델). {truth} → {said}: {count}번 (실제 클래스 "
        "이미지의 {share:percent})",
        "모델에게는 두 클래스가 비슷하게 보입니다. 구분할 만한 예시가 부족하거나 라벨이 섞여 있습니다",
        "해당 이미지를 확인해 틀린 라벨을 고치고 두 클래스의 이미지를 더 모으세요. 구분할 필요가 없다면 "
        "`rename:`으로 합치거나 `classes:`에서 하나를 빼세요",
    ),
    "larger val set": Words(
        "val top-1의 {confidence:percent} 구간이 넓습니다 ({low:.3f}~{high:.3f}, val {pictures}장 기준)",
        "이미지가 적어서 어떤 이미지가 뽑혔는지에 따라 점수가 달라집니다. 시도 사이의 더 작은 차이는 우연과 구별할 수 "
        "없습니다",
        "val 이미지를 모두 {wanted}장 정도로 늘리세요. 그 전까지는 이보다 작은 차이를 개선으로 보지 마세요",
    ),
}
"""Those of the track classify, which has no boxes; `leakage` and `divided photos` say the same there."""

_OF_TRACK: dict[str, dict[str, Words]] = {"tfapi": TFAPI, "classify": CLASSIFY}


def in_korean(advice: Advice) -> Advice:
    """The same advice with its sentences in Korean; the source keeps its name."""
    words = said_of(advice.rule, advice.figures, KOREAN, _OF_TRACK)
    return replace(
        advice,
        measured=fill(words.measured, advice.figures),
        cause=fill(words.cause, advice.figures),
        remedy=fill(words.remedy, advice.figures),
    )

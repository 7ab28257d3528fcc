"""What each rule says in English, and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yolo_pipeline.advising.words import Words, fill, said_of
from yolo_pipeline.diagnosis import Advice

_TIPS = "Ultralytics, Tips for Best Training Results"
_CONFIGS = "TensorFlow Object Detection API, configs/tf2 of these models"

SOURCES: dict[str, str] = {
    "leakage": "S. Kapoor and A. Narayanan, Leakage and the reproducibility crisis, Patterns 2023",
    "divided photos": "Roboflow: versions of one photo are named NAME_jpg.rf.HASH and belong in one split",
    "contradicting labels": f"{_TIPS}: label consistency",
    "wrong labels": "C. Northcutt et al., Pervasive Label Errors in Test Sets, NeurIPS 2021",
    "missing labels": f"{_TIPS}: all instances of all classes in all images must be labelled",
    "more epochs": f"{_TIPS}: start with 300 epochs; if they do not overfit, train longer",
    "hardly any epochs": f"{_TIPS}: start with 300 epochs; if they do not overfit, train longer",
    "more steps": f"{_CONFIGS}: 25,000 to 50,000 steps on COCO",
    "hardly any steps": f"{_CONFIGS}: 25,000 to 50,000 steps on COCO, the first 1,000 to 2,000 to warm up",
    "diverged": f"{_CONFIGS}: a warm-up from a third of the rate; P. Goyal et al., Accurate, Large Minibatch SGD, 2017",
    "larger pictures": f"{_TIPS}: data sets with many small objects benefit from training at higher resolution",
    "overfitting": f"{_TIPS}: reduce epochs if this overfits early; pretrained weights for small data sets",
    "smaller model": "Ultralytics, Transfer learning with frozen layers: small data sets overfit large models",
    "mirrored classes": "Ultralytics, Data augmentation: no flips where the orientation matters",
    "confused pair": "D. Bolya et al., TIDE, ECCV 2020: classification errors",
    "background images": f"{_TIPS}: 0 to 10 % background images reduce false positives (COCO has 1 %)",
    "rare class": f"{_TIPS}: 1,500 images and 10,000 instances per class; Roboflow's Health Check warns below a tenth",
    "loose boxes": f"{_TIPS}: labels must closely enclose each object, with no space between",
    "group boxes": f"{_TIPS}: each object is labelled by itself",
    "confidence": "the F1 curve on val, which Ultralytics and YOLOv5 plot for this choice",
    "larger val set": "B. Efron, bootstrap over images; COCO's val has 5,000 of them",
    "larger model": f"{_TIPS}: larger models produce better results in nearly all cases, given enough pictures",
}

_NORTHCUTT = "C. Northcutt et al., Pervasive Label Errors in Test Sets, NeurIPS 2021; Confident Learning, JAIR 2021"
_BENGIO = "Y. Bengio, Practical Recommendations for Gradient-Based Training, 2012: until early stopping ends it"

OF_CLASSIFIERS: dict[str, str] = {
    "mirrored classes": SOURCES["mirrored classes"],
    "dropout": "N. Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014",
    "overfitting": "L. Prechelt, Early Stopping, But When?, 1998; C. Shorten and T. Khoshgoftaar, Image Data "
    "Augmentation, J. Big Data 2019",
    "random backbone": "J. Yosinski et al., How transferable are features in deep neural networks?, NeurIPS 2014",
    "underfitting": "Keras, Transfer learning and fine-tuning: unfreeze the backbone at a very low learning rate",
    "wrong labels": _NORTHCUTT,
    "contradicting labels": _NORTHCUTT,
    "rare class": "G. King and L. Zeng, Logistic Regression in Rare Events Data, 2001; scikit-learn's balanced weights",
    "hardly any epochs": _BENGIO,
    "more epochs": _BENGIO,
    "confused pair": "the confusion matrix on val",
    "larger val set": "E. B. Wilson, 1927: the interval of a share; L. Brown et al., Statist. Sci. 2001",
}
"""Sources of the rules on the track classify."""

ENGLISH: dict[str, Words] = {
    "leakage": Words(
        "{pictures} of {judged} judged pictures ({share:percent}) have the same or nearly the same picture in another "
        "split",
        "A model is asked there for what it has seen: the scores are higher than they will be on new pictures",
        "Deal the data anew with such pictures in one split; earlier scores cannot be compared with the new ones",
    ),
    "divided photos": Words(
        "the versions of {photos} photos lie in different splits",
        "A model is asked for a photo whose other version it was trained on: the scores are flattered",
        "Deal the data anew, which keeps the versions of a photo together",
    ),
    "contradicting labels": Words(
        "{pictures} pictures hold objects with boxes of two classes, or are copies of others with other labels",
        "Training is told two answers to one question, and one of them counts as wrong when it is judged",
        "Keep the label that is right in each of them",
    ),
    "wrong labels": Words(
        "{labels} of {truths} objects on val ({share:percent}) are taken, with confidence, for another class than "
        "their label says, most of them {classes}",
        "Labels of the wrong class teach the wrong thing, and count right answers as mistakes",
        "Look at these pictures, correct the labels that are wrong, and then those of training in the same way",
    ),
    "missing labels": Words(
        "{labels} objects are found with confidence on val on pictures that have labels, but none there ({truths} have "
        "one)",
        "An object without label teaches that it is background, and counts its detection as a false alarm",
        "Look at these pictures, label what is missing, and then look for the same in training",
    ),
    "more epochs": Words(
        "training ended with epoch {epochs}, the best being epoch {best}; over the last fifth of them the loss on val "
        "still fell by {fell:percent} of its highest value",
        "It ended before it had learnt what the pictures hold",
        "Train {wanted} epochs; patience ends it earlier when nothing more is gained",
    ),
    "hardly any epochs": Words(
        "training ended with epoch {epochs}, and warming up alone takes 3",
        "It ended before it had learnt what the pictures hold",
        "Train {wanted} epochs; patience ends it earlier when nothing more is gained",
    ),
    "more steps": Words(
        "training ended with step {steps:,}, the best being step {best:,}; over the last evaluations the loss on val "
        "still fell by {fell:percent} of its highest value",
        "It ended before it had learnt what the pictures hold",
        "Train {wanted:,} steps; the weights of the best evaluation on val are kept",
    ),
    "hardly any steps": Words(
        "training ended with step {steps:,}, and warming up alone takes {warm:,} of the usual {usual:,}",
        "It ended before it had learnt what the pictures hold",
        "Train {wanted:,} steps; the weights of the best evaluation on val are kept",
    ),
    "diverged": Words(
        "from step {apart:,} of {steps:,} on the loss on train is no number, or half as high again as it began "
        "(learning_rate_base {rate:g})",
        "The steps that the weights take are too large for this model and batch: what was learnt is lost, and does "
        "not come back",
        "Lower learning_rate_base to {wanted:g} or less, warm up from a third of it over a tenth of the steps, and "
        "leave gradients clipped",
    ),
    "larger pictures": Words(
        "at imgsz {imgsz}, {small} of {truths} objects on val are shorter than 16 pixels, and {missed} of these were "
        "missed ({share:percent})",
        "Such an object covers two cells or less of the network's finest grid, which has a cell every 8 pixels",
        "Train and detect at imgsz {wanted}, with a smaller batch where memory does not suffice; where the pictures "
        "themselves are smaller, take better ones",
    ),
    "overfitting": Words(
        "the loss on val was lowest in epoch {lowest} of {epochs} and rose by {rise:percent} since, while the loss on "
        "train fell by {fall:percent}",
        "The model learns its {pictures} training pictures by heart",
        "Collect more pictures; until then train fewer weights for a shorter time, from pretrained ones and with "
        "augmentation: {how}",
    ),
    "smaller model": Words(
        "{model} overfits {pictures} training pictures: the loss on val rose by {rise:percent} after epoch {lowest}",
        "A large model has more than enough weights to learn few pictures by heart",
        "Train {smaller}, which is as accurate on so few pictures and much faster",
    ),
    "mirrored classes": Words(
        "{setting} shows {classes} mirrored or turned; mAP50 of these on val is {ap:.3f}",
        "Mirrored or turned, these become another sign, or none, and are still taught under their name",
        "Switch it off",
    ),
    "confused pair": Words(
        "{truth} was taken for {said}, {count} times on val ({share:percent} of the objects of that class)",
        "The two look alike to the model: too few examples tell them apart, or their labels are mixed up",
        "Look at these pictures: correct labels that are wrong, and add pictures of both; if you need not tell the two "
        "apart, join them with `rename:`, or leave one out with `classes:`",
    ),
    "background images": Words(
        "on {fired} of {backgrounds} pictures of val without objects, {boxes} objects are seen; {share:percent} of the "
        "training pictures are without objects",
        "Training has hardly shown what is not an object",
        "Add pictures without objects to training, up to 10 % of it, such as those on which it is mistaken (others of "
        "their kind: those of val stay there)",
    ),
    "rare class": Words(
        "{name} has {boxes} boxes in training, the commonest class {largest}; its AP50 on val is {ap:.3f}, the others' "
        "{others:.3f}",
        "A class with so few examples is memorised rather than learnt, and drowned by the others",
        "Label more pictures with {name}, {wanted} boxes at the least; its weight in training is a makeshift",
    ),
    "loose boxes": Words(
        "objects on val are found with a median IoU of {iou:.2f}; labels that the model takes for loose: {loose}",
        "Boxes that are drawn with more or less space around the object cannot be learnt more exactly than that",
        "Draw the boxes again, close around each object, those of training as well",
    ),
    "group boxes": Words(
        "{pictures} pictures hold boxes around several objects",
        "Where a group and its members bear one name, training is told two answers to what one object is",
        "Box each object by itself, and remove the box around them",
    ),
    "confidence": Words(
        "from confidence {conf:.2f} on, which the attempt counts, F1 on val is {f1:.3f} (precision {precision:.3f}, "
        "recall {recall:.3f}); from {best:.2f} on it is {f1_best:.3f}",
        "The confidence was not chosen for this model: it hides right answers or lets wrong ones through",
        "Leave detect.conf out: the confidence of the best F1 on val is taken then",
    ),
    "larger val set": Words(
        "mAP50 on val lies between {low:.3f} and {high:.3f} ({confidence:percent} of the draws of its {pictures} "
        "pictures)",
        "With so few pictures the score hangs on which ones they are: smaller steps between attempts cannot be told "
        "from chance",
        "Label more pictures for val, {wanted} or so in all; until then take no smaller step for progress",
    ),
    "larger model": Words(
        "{model} has learnt what it can from {pictures} training pictures: after {epochs} epochs the loss on val is "
        "level, and mAP50 on val is {ap:.3f}",
        "The model is too small for what it shall tell apart",
        "Train {larger}",
    ),
}

TFAPI: dict[str, Words] = {
    "larger pictures": Words(
        "of a picture of {imgsz} pixels, {small} of {truths} objects on val are shorter than 16, and {missed} of these "
        "were missed ({share:percent})",
        "Such an object is half as long as the smallest anchor of these models, or shorter, and covers two cells or "
        "less of their finest grid",
        "Show objects larger: {wanted} pixels is the most that a model of this track sees, with a smaller batch where "
        "memory does not suffice; beyond, cut the pictures into tiles, or take them from nearer",
    ),
    "overfitting": Words(
        "the loss on val was lowest at step {lowest:,} of {epochs:,} and rose by {rise:percent} since, while the loss "
        "on train fell by {fall:percent}",
        "The model learns its {pictures} training pictures by heart",
        "Collect more pictures; until then train fewer steps, from pretrained weights and with pictures cropped at "
        "random: {how}",
    ),
    "smaller model": Words(
        "{model} overfits {pictures} training pictures: the loss on val rose by {rise:percent} after step {lowest:,}",
        "A large model has more than enough weights to learn few pictures by heart",
        "Train {smaller}, which is as accurate on so few pictures and much faster",
    ),
    "larger model": Words(
        "{model} has learnt what it can from {pictures} training pictures: after {epochs:,} steps the loss on val is "
        "level, and mAP50 on val is {ap:.3f}",
        "The model is too small for what it shall tell apart",
        "Train {larger}, which takes many times as long",
    ),
    "rare class": Words(
        "{name} has {boxes} boxes in training, the commonest class {largest}; its AP50 on val is {ap:.3f}, the others' "
        "{others:.3f}",
        "A class with so few examples is memorised rather than learnt, and drowned by the others",
        "Label more pictures with {name}, {wanted} boxes at the least",
    ),
}
"""The same rules on the track tfapi, which goes by steps and has other settings."""

_OVERFITS = (
    "the loss on val was lowest around epoch {lowest} of {epochs} and rose by {rise:percent} since, while the loss on "
    "train fell by {fall:percent}; top-1 of the weights that were kept is {train:.3f} on train and {top1:.3f} on val"
)

CLASSIFY: dict[str, Words] = {
    "mirrored classes": Words(
        "{setting} shows {classes} mirrored or turned; F1 of these on val is {f1:.3f}",
        "Mirrored or turned, these become another sign, or none, and are still taught under their name",
        "Switch it off, or turn them by no more than people tilt them",
    ),
    "dropout": Words(
        f"{_OVERFITS} (dropout {{layers}})",
        "The head learns its {pictures} training pictures by heart: its outputs come to rely on one another",
        "Leave out {wanted:percent} of its outputs at random in training, and let early stopping end it where val "
        "gains nothing more",
    ),
    "overfitting": Words(
        _OVERFITS,
        "The network learns its {pictures} training pictures by heart",
        "Collect more pictures; until then take what keeps a network from learning them by heart: early stopping, "
        "pictures a little changed, learnt weights that stay frozen, smaller layers (here: {how})",
    ),
    "random backbone": Words(
        "{model} began with random weights of which most were frozen; top-1 on val is {top1:.3f}",
        "What such a backbone sees was never learnt: the head can only choose from it",
        "Begin with weights that were learnt (`pretrained: true`, or `weights: FILE`), or train all of it "
        "(`freeze: none`)",
    ),
    "underfitting": Words(
        "top-1 is {train:.3f} on train and {top1:.3f} on val, and after {epochs} epochs the loss on val is level; "
        "{model} is frozen, with {layers} dense layers on it",
        "What is trained is too little to tell the classes apart by what the frozen backbone sees",
        "Add a dense layer; where there are several, train the last blocks of the backbone as well, at a lower rate",
    ),
    "wrong labels": Words(
        "{labels} of {pictures} pictures on val ({share:percent}) are taken, with confidence, for another class than "
        "their label says, most of them {classes}",
        "Labels of the wrong class teach the wrong thing, and count right answers as mistakes",
        "Look at these pictures, correct the labels that are wrong, and then those of training in the same way",
    ),
    "contradicting labels": Words(
        "{pictures} pictures are copies of others with another label",
        "Training is told two answers to one question, and one of them counts as wrong when it is judged",
        "Keep the one whose label is right",
    ),
    "rare class": Words(
        "{name} has {pictures} pictures in training, the commonest class {largest}; its F1 on val is {f1:.3f}, the "
        "others' {others:.3f}",
        "A class with so few examples is memorised rather than learnt, and drowned by the others",
        "Collect more pictures of {name}, {wanted} at the least; its weight in training is a makeshift",
    ),
    "hardly any epochs": Words(
        "training ended with epoch {epochs}",
        "It ended before it had learnt what the pictures hold",
        "Train {wanted} epochs; early stopping ends it when nothing more is gained",
    ),
    "more epochs": Words(
        "training ended with epoch {epochs}, the best being epoch {best}; over the last fifth of them the loss on val "
        "still fell by {fell:percent} of its highest value",
        "It ended before it had learnt what the pictures hold",
        "Train {wanted} epochs; early stopping ends it when nothing more is gained",
    ),
    "confused pair": Words(
        "{truth} was taken for {said}, {count} times on val ({share:percent} of the pictures of that class)",
        "The two look alike to the model: too few examples tell them apart, or their labels are mixed up",
        "Look at these pictures: correct labels that are wrong, and add pictures of both; if you need not tell the two "
        "apart, join them with `rename:`, or leave one out with `classes:`",
    ),
    "larger val set": Words(
        "top-1 on val lies between {low:.3f} and {high:.3f} ({confidence:percent} interval of its {pictures} pictures)",
        "With so few pictures the score hangs on which ones they are: smaller steps between attempts cannot be told "
        "from chance",
        "Label more pictures for val, {wanted} or so in all; until then take no smaller step for progress",
    ),
}
"""Those of the track classify, which has no boxes; `leakage` and `divided photos` say the same there."""

_OF_TRACK: dict[str, dict[str, Words]] = {"tfapi": TFAPI, "classify": CLASSIFY}


def advice(rule: str, changes: Sequence[tuple[str, Any]] = (), images: Sequence[str] = (), **figures: Any) -> Advice:
    """What a rule says, with its figures filled in."""
    words = said_of(rule, figures, ENGLISH, _OF_TRACK)
    sources = OF_CLASSIFIERS if figures.get("track") == "classify" else SOURCES
    return Advice(
        rule=rule,
        measured=fill(words.measured, figures),
        cause=fill(words.cause, figures),
        remedy=fill(words.remedy, figures),
        source=sources[rule],
        changes=tuple(changes),
        images=tuple(images),
        figures=_plain(figures),
    )


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Figures as JSON has them."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in figures.items()}

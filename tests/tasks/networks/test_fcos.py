import pytest
import torch
from safetensors.torch import save_file
from torchvision.models.detection import FCOS_ResNet50_FPN_Weights, fcos_resnet50_fpn

from benchmark.conformance.task_checks import prediction_fault
from tasks.base import NetworkSpec
from tasks.errors import InputError
from tasks.networks.fcos import COCO_STRIDES, build

TINY = NetworkSpec(
    decoder="fcos",
    encoder="resnet18",
    encoder_options={"layers": (1, 1, 1, 1), "channels": (8, 8, 16, 16), "stem_width": 8},
    decoder_options={"channels": 32, "convs": 1},
)


@pytest.mark.parametrize("strides", [(2, 4, 8), (4, 8, 16), (8, 16, 32), (8, 16, 32, 64, 128)])
def test_one_map_a_level_and_named_features(strides):
    network = build(TINY, 3, strides).eval()
    with torch.no_grad():
        prediction = network(torch.randn(2, 3, 70, 101))
    assert [tuple(m.shape) for m in prediction.maps] == [(2, 8, -(-70 // s), -(-101 // s)) for s in strides]
    assert all((m[:, 3:-1] >= 0).all() for m in prediction.maps)
    assert prediction_fault(prediction, 2, (70, 101), channels=8) is None
    levels = {2: "p1", 4: "p2", 8: "p3", 16: "p4", 32: "p5", 64: "p6", 128: "p7"}
    assert prediction.shared == tuple(levels[s] for s in strides)
    assert prediction.embedding.shape == (2, 16 if max(strides) > 8 else 8)


def test_heads_are_torchvisions():
    spec = NetworkSpec(decoder="fcos", encoder="resnet50")
    with torch.device("meta"):  # their sizes alone are counted
        ours = build(spec, 91, COCO_STRIDES)
        theirs = fcos_resnet50_fpn(weights=None, weights_backbone=None)
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_bad_specs_are_named(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="each twice the one before"):
        build(TINY, 3, (4, 16))
    with pytest.raises(InputError, match="both 64 and 128"):
        build(TINY, 3, (16, 32, 64))
    with pytest.raises(InputError, match="no decoder option width"):
        build(NetworkSpec(decoder_options={"width": 3}), 3, (4, 8))
    with pytest.raises(InputError, match="multiple of 32"):
        build(NetworkSpec(decoder_options={"channels": 40}), 3, (4, 8))
    with pytest.raises(InputError, match="cannot build encoder 'resnet18000'"):
        build(NetworkSpec(encoder="resnet18000"), 3, (4, 8))
    with pytest.raises(InputError, match="hub:yolo is not a detector"):
        build(NetworkSpec(weights="hub:yolo"), 3, COCO_STRIDES, (1,))
    with pytest.raises(InputError, match=r"strides \[8, 16, 32, 64, 128\]"):
        build(NetworkSpec(weights="hub:fcos_resnet50_fpn"), 3, (4, 8), (1,))
    with pytest.raises(InputError, match=r"set task.strides to \[16, 32, 64, 128, 256\], found \[8, 16, 32, 64, 128\]"):
        build(NetworkSpec(weights="hub:fcos_resnet50_fpn", shrink=2), 3, COCO_STRIDES, (1,))

    def offline(**_):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.models.detection.fcos_resnet50_fpn", offline)
    with pytest.raises(InputError, match=r"cannot be had \(OSError: no route to host\)"):
        build(NetworkSpec(weights="hub:fcos_resnet50_fpn"), 1, COCO_STRIDES, (1,))
    monkeypatch.undo()
    path = tmp_path / "other.safetensors"
    save_file({"encoder.conv1.weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="another architecture"):
        build(NetworkSpec(encoder="resnet18", decoder_options={"channels": 32}, weights=str(path)), 3, (4, 8))


def test_the_published_detector_is_read_from_the_hub_folder_and_keeps_the_categories(tmp_path, monkeypatch):
    """A file laid out like the hub's; in float64, since fewer outputs are summed in another order."""
    torch.manual_seed(0)
    published = fcos_resnet50_fpn(weights=None, weights_backbone=None)
    file = tmp_path / "hub" / "checkpoints" / FCOS_ResNet50_FPN_Weights.COCO_V1.url.rpartition("/")[2]
    file.parent.mkdir(parents=True)
    torch.save(published.state_dict(), file)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    ids = (1, 3, 90)
    network = build(NetworkSpec(decoder="fcos", weights="hub:fcos_resnet50_fpn"), 3, COCO_STRIDES, ids)
    image = torch.randn(1, 3, 32, 64, dtype=torch.float64)
    with torch.no_grad():
        published.double().eval()
        expected = published.head(list(published.backbone(image).values()))
        maps = network.double().eval()(image).maps
    rows = torch.cat([m.flatten(2) for m in maps], dim=2).transpose(1, 2)
    torch.testing.assert_close(rows[..., :3], expected["cls_logits"][..., list(ids)])
    torch.testing.assert_close(rows[..., 3:-1], expected["bbox_regression"])
    torch.testing.assert_close(rows[..., -1:], expected["bbox_ctrness"])


def test_a_detector_that_cannot_be_fetched_is_explained(monkeypatch):
    def offline(**_):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.models.detection.fcos_resnet50_fpn", offline)
    with pytest.raises(
        InputError, match=r"hub:fcos_resnet50_fpn cannot be had \(OSError: no route to host\); go online"
    ):
        build(NetworkSpec(weights="hub:fcos_resnet50_fpn"), 2, COCO_STRIDES, (1, 3))

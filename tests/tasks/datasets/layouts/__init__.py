"""Writers of small datasets in their official layouts, so that readers are tested without downloads."""

from tests.tasks.datasets.layouts.attention import avs1k, clipfolder, dhf1k, into_videos, mit1003, salicon
from tests.tasks.datasets.layouts.counting import head_mat, heads, nwpu, shanghaitech, ucf_qnrf
from tests.tasks.datasets.layouts.depth import depth_map, kitti, nyuv2, nyuv2_labeled, rgbd
from tests.tasks.datasets.layouts.detection import OBJECT, bccd, coco, voc_det, xml
from tests.tasks.datasets.layouts.files import grey, labels, mat, picture, truncate
from tests.tasks.datasets.layouts.saliency import duts, images_and_masks
from tests.tasks.datasets.layouts.segmentation import SPLITS, ade20k, camvid, cityscapes, voc

__all__ = [
    "OBJECT", "SPLITS", "ade20k", "avs1k", "bccd", "camvid", "cityscapes", "clipfolder", "coco", "depth_map",
    "dhf1k", "duts", "grey", "head_mat", "heads", "images_and_masks", "into_videos", "kitti", "labels", "mat",
    "mit1003", "nwpu", "nyuv2", "nyuv2_labeled", "picture", "rgbd", "salicon", "shanghaitech", "truncate",
    "ucf_qnrf", "voc", "voc_det", "xml",
]  # fmt: skip

"""Single frames of video files, through OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tasks.datasets.reading.files import fault


def read_frame(path: Path, number: int) -> np.ndarray:
    """Read one frame of a video, counted from 0, as uint8 (H,W,3) RGB.

    Raises InputError where the file is no video that OpenCV opens, or has no such frame.
    """
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            raise fault(path, "a video", "a file that OpenCV cannot open", "cut it into frames by another program")
        video.set(cv2.CAP_PROP_POS_FRAMES, number)
        there, frame = video.read()
        if not there:
            count = round(video.get(cv2.CAP_PROP_FRAME_COUNT))
            raise fault(path, f"a frame {number + 1}", f"{count} frames", "see that maps and video are of one clip")
        return np.ascontiguousarray(frame[..., ::-1])
    finally:
        video.release()

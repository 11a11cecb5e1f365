"""Features of a network that ran in half precision, in the float32 that losses are computed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from torch import Tensor

from benchmark.training.ranks import ALONE


class AsFloat32(Mapping[str, Tensor]):
    """Features by name, each converted when it is first read: most methods read few of them, or none.

    Args:
        computed: what the network returned.
        join: makes the feature of the batch of that of the part which this process passed through the network.
    """

    def __init__(self, computed: Mapping[str, Tensor], join: Callable[[Tensor], Tensor] = ALONE.join) -> None:
        self._computed, self._converted, self._join = computed, dict[str, Tensor](), join

    def __getitem__(self, name: str) -> Tensor:
        if name in self._converted:
            return self._converted[name]
        feature = self._computed[name]
        converted = self._join(feature).float()
        if converted.requires_grad == feature.requires_grad:  # else one who wants no gradient would take all others'
            self._converted[name] = converted
        return converted

    def __iter__(self) -> Iterator[str]:
        return iter(self._computed)

    def __len__(self) -> int:
        return len(self._computed)

    def held(self) -> list[Tensor]:
        """List every tensor there is, as computed and as read, once each; a tensor that is float32 is both."""
        tensors = (*self._computed.values(), *self._converted.values())
        return list({id(tensor): tensor for tensor in tensors}.values())

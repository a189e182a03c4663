"""Fixtures that several files of real-machine tests share; each stands with its helpers in `support/`."""

from support.apiserver import api, namespace

__all__ = ["api", "namespace"]

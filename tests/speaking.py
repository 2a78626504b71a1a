"""An engine that tells apart who speaks, as AssemblyAI does: no stage after it is needed."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from hybrid_transcribe.interfaces import Capabilities
from hybrid_transcribe.testing import SCRIPTED, Script, ScriptedEngine

#: What `Settings.engines` needs to make it known beside the scripted one.
ENGINES = {**SCRIPTED, "speaking": "tests.speaking:Speaking"}

#: Two people in turn.
TWO = Script(speakers=2).model


class Speaking(ScriptedEngine):
    """Says who speaks as its script wants."""

    name = "speaking"
    capabilities: ClassVar[Capabilities] = replace(
        ScriptedEngine.capabilities,
        options=frozenset(
            {"language", "diarize", "speakers", "min_speakers", "max_speakers", "voices"}
        ),
    )

"""Row 10: an OpenAI client's silent retry, and requests at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

import openai

from hybrid_transcribe.events import Event, JobChanged
from hybrid_transcribe.testing import Script
from tests.services import service, wavs


def test_f10_retries_at_the_same_time_are_one_job(tmp_path: Path) -> None:
    """Five attempts of a client that lost the first connection: one job, one id, one text."""
    (talk,) = wavs(tmp_path / "sent", "talk")
    gate = tmp_path / "gate"
    seen: set[str] = set()
    items: list[tuple[str, str]] = []
    together = threading.Barrier(5)

    def heard(event: Event) -> None:
        if isinstance(event, JobChanged):
            seen.add(event.job_id)

    with service(tmp_path / "state") as s, s.serve() as server:
        assert server.token is not None
        with (
            s.subscribe(heard),
            openai.OpenAI(
                base_url=f"{server.url}/v1",
                api_key=server.token,
                max_retries=0,
                http_client=openai.DefaultHttpxClient(trust_env=False),
            ) as client,
        ):

            def send(attempt: int) -> None:
                together.wait(30)
                raw = client.audio.transcriptions.with_raw_response.create(
                    file=talk,
                    model=Script(gate=str(gate)).model,
                    extra_headers={"X-Stainless-Retry-Count": str(attempt)},
                )
                items.append((raw.headers["X-Job-Id"], raw.parse().text))

            threads = [threading.Thread(target=send, args=[n]) for n in range(1, 6)]
            for thread in threads:
                thread.start()
            gate.touch()
            for thread in threads:
                thread.join(60)

        assert len(items) == 5
        assert len(set(items)) == 1
        assert seen == {items[0][0]}
        assert len(list(s.uploads_dir.iterdir())) == 1

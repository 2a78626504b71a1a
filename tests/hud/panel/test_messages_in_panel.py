"""Messages where a Portuguese panel shows them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from hybrid_transcribe.errors import UnsupportedMedia
from hybrid_transcribe.messages import UserMessage, known_phrase, message_info
from tests.hud.panel.harness import heard, show
from tests.hud.panel.test_messages import HOSTILE

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

FILES = "input[type=file] >> nth=0"

#: All places that show messages of the service.
PLACES = ".ht-top, .ht-files, .ht-reasons, .ht-body, .ht-warnings"

ROWS = """
({ error, messages, notice }) => {
  fake.texts.heard = { segments: [fake.segment(0, " Bom dia.")], complete: true };
  fake.setRows([
    fake.row({ id: "entry", name: "entry", state: "rejected", recording_id: null,
      percentage: null, duration_s: null, error, actions: ["delete"] }),
    fake.row({ id: "heard", name: "heard.wav", state: "completed", recording_id: "heard",
      warnings: messages.map(({ text }) => text), messages }),
  ]);
  fake.tell({ type: "notice", code: "not_preloaded", message: notice.text, reason: notice.code,
    params: notice.params });
}
"""


def data(message: str) -> dict[str, Any]:
    """A message as it is sent."""
    return asdict(message_info(message))


def test_a_portuguese_panel_tells_all_in_portuguese(page: Page) -> None:
    """Refusals, errors, notices and warnings; what has no code stays English, and says so."""
    lacking = UserMessage("not_installed", names=("torch",), install="pip install x", count=1)
    show(
        page,
        "fake.rows = []; Object.assign(fake.choices.engines.at(-1), "
        f"{{ why_not: 'torch', why_not_message: {data(lacking)} }});",
    )
    page.get_by_role("button", name="PT, Português").click()
    picture = known_phrase("a JPEG image")
    error = UnsupportedMedia(UserMessage("foreign", name=HOSTILE, phrase=picture)).info()
    remedy = UserMessage("or_cpu", remedy=UserMessage("remedy_restart"))
    gpu = UserMessage("gpu_unusable", why=UserMessage("libcuda"))
    messages = [
        UserMessage("low_confidence", n=1, count=3, at=12.34),
        UserMessage("on_the_cpu", why=UserMessage("with_remedy", why=gpu, remedy=remedy)),
    ]
    notice = UserMessage("not_preloaded", why=UserMessage("offline"))
    page.evaluate(
        ROWS,
        {"error": asdict(error), "messages": list(map(data, messages)), "notice": data(notice)},
    )
    page.set_input_files(FILES, [{"name": "a.wav", "mimeType": "audio/wav", "buffer": b"123"}])
    expect(page.locator(".ht-file")).to_have_count(1)
    full = data(UserMessage("upload_room", name="a.wav", n=2))
    page.evaluate(
        "([upload_id, { code, params, text }]) => fake.tell({ type: 'upload_failed', upload_id,"
        " error: { code: 'disk_full', message: text, reason: code, params } })",
        [heard(page, "upload_begin")[0]["upload_id"], full],
    )

    expect(page.locator(".ht-body .ht-row-error:visible")).to_contain_text(
        f"Isto não é áudio nem vídeo. {HOSTILE}: parece ser uma imagem JPEG, que não é áudio"
    )
    expect(page.locator(".ht-file-note")).to_have_text(
        "O disco está cheio. a.wav: não há espaço para os seus 2 MiB neste disco"
    )
    expect(page.locator(".ht-notice").filter(has_text="Aviso:")).to_contain_text(
        "O modelo padrão não pôde ser preparado: a configuração proíbe consultar o hub"
    )
    expect(page.locator(".ht-reasons dd")).to_contain_text("torch não está instalado: pip install")
    page.get_by_role("button", name="heard.wav").click()
    warnings = page.locator(".ht-warnings li")
    expect(warnings.nth(0)).to_have_text(
        "Pouca certeza em 1 de 3 segmentos, o primeiro em 12,3 s: ali o texto pode estar errado."
    )
    expect(warnings.nth(1)).to_have_text(
        "Executado na CPU. A GPU não pode ser usada: a biblioteca do driver da NVIDIA (libcuda)"
        " não pode ser carregada; reinicie a máquina, ou escolha o dispositivo 'cpu'"
    )
    assert "Pouca certeza" in (page.locator(".ht-sub[title]").first.get_attribute("title") or "")

    for place in PLACES.split(", "):
        assert page.locator(f"{place} [lang]").count() == 0, place
    assert page.locator(".ht-hud img, .ht-hud script").count() == 0
    assert page.evaluate("globalThis.hurt") is None
    page.evaluate("fake.tell({ type: 'notice', code: 'odd', message: 'as a library says' })")
    expect(page.locator(".ht-notice [lang=en]")).to_have_text("as a library says")

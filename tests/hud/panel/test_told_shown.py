"""What the engine room tells people, where a Portuguese panel shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hud.panel import sentences
from tests.hud.panel.harness import heard, show
from tests.hud.panel.sentences import HOSTILE

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

FILES = "input[type=file] >> nth=0"

#: All places that show sentences of the engine room.
PLACES = ".ht-top, .ht-files, .ht-reasons, .ht-body, .ht-warnings"

ROWS = """
([name, said]) => {
  const rejected = (id, code, message) => fake.row({
    id, name, state: "rejected", recording_id: null, percentage: null, duration_s: null,
    error: { code, message }, actions: ["delete"],
  });
  fake.texts.heard = { segments: [fake.segment(0, " Bom dia.")], complete: true };
  fake.setRows([
    rejected("entry", "unsupported_media", said.JPEG),
    rejected("zip", "broken_archive", said["cut zip"]),
    fake.row({ id: "died", name: "b.wav", state: "failed",
      error: { code: "worker_crashed", message: said["killed, words"] } }),
    fake.row({ id: "heard", name: "heard.wav", state: "completed", recording_id: "heard",
      warnings: [said["some unsure"], said["one withheld"], said["on the CPU"]] }),
  ]);
  fake.tell({ type: "notice", code: "not_preloaded",
    message: `The default model cannot be made ready: ${said.model}` });
}
"""


def test_a_portuguese_panel_tells_all_in_portuguese(page: Page, tmp_path: Path) -> None:
    """Refusals, errors, notices and warnings; what no one knows stays English, and says so."""
    makers = (sentences.notices, sentences.refusals, sentences.failures)
    said: dict[str, str] = {}
    for n, make in enumerate(makers):
        folder = tmp_path / str(n)
        folder.mkdir()
        said |= make(folder)
    show(
        page,
        "fake.rows = []; fake.choices.engines.at(-1).why_not ="
        " \"torch not installed: pip install 'hybrid-transcribe[transformers]'\";",
    )
    page.get_by_role("button", name="PT, Português").click()
    page.evaluate(ROWS, [HOSTILE, said])
    page.set_input_files(FILES, [{"name": "a.wav", "mimeType": "audio/wav", "buffer": b"123"}])
    expect(page.locator(".ht-file")).to_have_count(1)
    page.evaluate(
        "([upload_id, message]) => fake.tell({ type: 'upload_failed', upload_id,"
        " error: { code: 'disk_full', message } })",
        [heard(page, "upload_begin")[0]["upload_id"], said["no room"]],
    )

    errors = page.locator(".ht-body .ht-row-error:visible")
    expect(errors.filter(has_text="imagem JPEG")).to_contain_text(
        f"Isto não é áudio nem vídeo. {HOSTILE}: parece ser uma imagem JPEG, que não é áudio"
    )
    expect(errors.filter(has_text="zip")).to_contain_text("o zip não está inteiro, falta o índice")
    expect(errors.filter(has_text="morreu")).to_contain_text("O processo de trabalho morreu")
    assert "uma imagem JPEG" in (
        errors.filter(has_text="imagem JPEG").get_attribute("title") or ""
    )  # fmt: skip
    expect(page.locator(".ht-file-note")).to_have_text(
        "O disco está cheio. a.wav: não há espaço para os seus 2 MiB neste disco"
    )
    expect(page.locator(".ht-notice").filter(has_text="Aviso:")).to_contain_text(
        "O modelo padrão não pôde ser preparado: O modelo 'base' não está nesta máquina"
    )
    expect(page.locator(".ht-reasons dd")).to_contain_text("torch não está instalado: pip install")
    page.get_by_role("button", name="heard.wav").click()
    warnings = page.locator(".ht-warnings li")
    expect(warnings.nth(0)).to_have_text(
        "Pouca certeza em 1 de 3 segmentos, o primeiro em 12,3 s: ali o texto pode estar errado."
    )
    expect(warnings.nth(1)).to_contain_text("Foi omitido 1 segmento com texto inventado")
    expect(warnings.nth(2)).to_contain_text("Executado na CPU. A GPU não pode ser usada:")
    assert "Pouca certeza" in (page.locator(".ht-sub[title]").first.get_attribute("title") or "")

    for place in PLACES.split(", "):
        assert page.locator(f"{place} [lang]").count() == 0, place
    assert page.locator(".ht-hud img, .ht-hud script").count() == 0
    assert page.evaluate("globalThis.hurt") is None
    page.evaluate("fake.tell({ type: 'notice', code: 'odd', message: 'as a library says' })")
    expect(page.locator(".ht-notice [lang=en]")).to_have_text("as a library says")

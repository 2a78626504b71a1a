"""What the engine room tells people: the real sentences, found again and in Portuguese."""

from __future__ import annotations

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.hud import assets
from tests import frontend
from tests.frontend import PANEL
from tests.hud.panel import sentences
from tests.hud.panel.sentences import HOSTILE, read
from tests.hud.panel.test_strings import LANGUAGES, PLURALS, blanks, forms

#: What each sentence is in the catalogue, and in Portuguese where that takes figures, plural
#: forms or sentences within sentences.
WANTED: dict[str, tuple[str, str]] = {
    "nothing kept": ("no_speech", "Nenhuma fala foi ouvida."),
    "one unsure": (
        "low_confidence",
        "Pouca certeza em 1 de 1 segmento, em 12,3 s: ali o texto pode estar errado.",
    ),
    "some unsure": (
        "low_confidence",
        "Pouca certeza em 1 de 3 segmentos, o primeiro em 12,3 s: ali o texto pode estar errado.",
    ),
    "missed speech": (
        "missed_speech",
        "O detector de voz deixou passar 12 s de fala: o que se destaca do ruído também foi"
        " transcrito.",
    ),
    "one withheld": (
        "withheld",
        "Foi omitido 1 segmento com texto inventado onde ninguém fala: 'Thank you.' em 2,0 s",
    ),
    "some withheld": (
        "withheld_many",
        "Foram omitidos 2 segmentos com texto inventado onde ninguém fala: 'Thank you.' em 2,0 s"
        " e outros",
    ),
    "no sound": ("no_sound", "Não há som nesta gravação."),
    "English, task": ("english_only_translate", ""),
    "English, language": ("english_only", ""),
    "in batches": ("ignored_temperatures", ""),
    "decoded together": ("decoded_together", ""),
    "stretches": ("vad_ignored", ""),
    "hotwords cut": (
        "hotwords_cut",
        "hotwords é longo demais para o modelo: foram usados os primeiros 111 de 400 tokens.",
    ),
    "prompt cut": (
        "prompt_cut",
        "initial_prompt é longo demais para o modelo: foram usados os últimos 112 de 400 tokens.",
    ),
    "pieces": ("pieces", "Memória insuficiente para 8 trechos de uma vez: 4 a partir de agora."),
    "smaller 0": ("smaller_batch", ""),
    "smaller 1": ("smaller_weights", ""),
    "smaller 2": ("smaller_cpu", ""),
    "GPU broke": ("gpu_failed_cpu", ""),
    "on the CPU": (
        "on_the_cpu",
        "Executado na CPU. A GPU não pode ser usada: a biblioteca do driver da NVIDIA (libcuda)"
        " não pode ser carregada; reinstale o driver da NVIDIA ou reinicie a máquina, ou escolha"
        " o dispositivo 'cpu'",
    ),
    "track": (
        "track_heard_label",
        "Foi ouvida a faixa 2 de 3 (por, default); audio_track escolhe outra.",
    ),
    "track, plain": ("track_heard", ""),
    "track, silent": (
        "track_heard_loud",
        "Foi ouvida a faixa 2 de 2, em vez de 1, em silêncio; audio_track escolhe outra.",
    ),
    "tracks, silent": (
        "track_heard_loud_label",
        "Foi ouvida a faixa 3 de 3 (por), em vez de 1, 2, em silêncio; audio_track escolhe outra.",
    ),
    "inverted": ("inverted", ""),
    "made quieter": ("made_quieter", ""),
    "made louder": ("made_louder", ""),
    "clock jump": ("clock_jump", ""),
    "short header": ("short_header", ""),
    "cut short": ("cut_short", "Incompleto: o arquivo termina em 5,5 s de 11,0 s."),
    "broken off": ("broken_off", ""),
    "damaged": ("damaged", "Danificado: 1,5 s de som em 3,0 s não puderam ser decodificados."),
    "damaged places": ("damaged_places", ""),
    "weak model": (
        "weak_model",
        "O modelo base é fraco no idioma 'pt': 22 % das palavras erradas, segundo o que foi"
        " publicado. Use o modelo 'small': 13 %.",
    ),
    "weak model, minutes": ("weak_model_minutes", ""),
    "JPEG": ("foreign", f"{HOSTILE}: parece ser uma imagem JPEG, que não é áudio nem vídeo"),
    "unknown": ("unknown_kind", ""),
    "playlist": (
        "playlist",
        f"{HOSTILE}: parece ser uma lista M3U; recusado, porque remete a outros arquivos",
    ),
    "empty": ("empty", f"{HOSTILE}: o arquivo está vazio (0 bytes)"),
    "tag": ("only_a_tag", ""),
    "broken wave": (
        "not_as_such",
        f"{HOSTILE}: parece ser wav, mas não pode ser lido assim: o cabeçalho está cortado ou"
        " danificado, ou não há nada depois dele; se toca em outro programa, converta-o ali para"
        " WAV ou MP3",
    ),
    "no file": ("unreadable", "none.wav: não pode ser lido (o arquivo não existe)"),
    "folder": ("not_regular", ""),
    "too long": ("too_long", "talk.wav: 0,0 h de áudio ou mais; no máximo 0,0 h permitidas"),
    "too large": ("too_large", "talk.wav: 0 MiB; no máximo 0 MiB permitidos"),
    "zip entry": ("foreign", "broken.wav: parece ser texto, que não é áudio nem vídeo"),
    "zip in zip": ("zip_archive", ""),
    "cut zip": ("zip_no_table", ""),
    "damaged entry": ("zip_entry_damaged", ""),
    "bomb": ("too_large", ""),
    "many entries": ("zip_entries", ""),
    "zip without any": ("none_in_zip", "more.zip: não há áudio nem vídeo neste zip"),
    "zip of one paper": ("none_in_zip_only", ""),
    "zip of papers": ("none_in_zip_more", ""),
    "bare folder": ("none_in_folder", ""),
    "folder of 1": ("none_in_folder_only", ""),
    "folder of 7": (
        "none_in_folder_more",
        "papers: não há áudio nem vídeo nesta pasta, só 0.txt, 1.txt, 2.txt, 3.txt, 4.txt e mais 2",
    ),
    "not there": ("unreadable", ""),
    "pattern": ("no_such_pattern", ""),
    "all refused": (
        "several",
        "none.wav: não pode ser lido (o arquivo ou a pasta não existe) (e mais 1)",
    ),
    "address": ("address", ""),
    "upload too large": ("too_large", "a.wav: 4 MiB; no máximo 3 MiB permitidos"),
    "no room": ("upload_room", ""),
    "killed": ("worker_died", "O processo de trabalho morreu (encerrado pelo sinal 9)"),
    "killed, words": (
        "worker_died_words",
        "O processo de trabalho morreu (status de saída 139); suas últimas palavras:"
        " Segmentation fault",
    ),
    "out of memory": (
        "out_of_memory_int8",
        "Memória insuficiente na GPU: CUDA failed with error out of memory; um modelo menor, um"
        " batch_size menor ou o compute_type 'int8' precisa de menos",
    ),
    "no library": ("gpu_remedy", ""),
    "torch memory": ("out_of_memory", ""),
    "failed": ("engine_failed", "faster-whisper falhou: ValueError: odd"),
    "model": ("model_unavailable", ""),
    "checksum": ("checksum", ""),
    "no model": ("no_model", "O modelo 'huge' não existe; escolha entre: tiny, base"),
    "no device": ("no_device", ""),
    "no format": ("no_format", ""),
    "language": ("language_hint", ""),
    "no language": ("language_unknown", ""),
    "cloud t1 x cannot be reached (no)": (
        "aai_no_text_why",
        "A AssemblyAI não tem o texto depois de 90 s (ainda 'queued'; não foi possível acessar x"
        " (no)). A transcrição t1 continua lá: repetir a retoma sem nova cobrança",
    ),
    "cloud t1 ": ("aai_no_text_why", ""),
    "cloud None no": ("aai_not_taken_why", ""),
    "cloud None ": ("aai_not_taken", ""),
    "full 2": ("full_session", ""),
    "full 3": ("full", ""),
    "checkpoint": ("model_is_checkpoint", ""),
    "odd key": ("odd_key", ""),
    "lacking key": ("no_key", ""),
    "no key": (
        "of_engine",
        "assemblyai: não há chave: defina ASSEMBLYAI_API_KEY (ou a configuração"
        " assemblyai_api_key)",
    ),
    "wrong key": ("wrong_key", ""),
    "broken engine": ("broken_setting", ""),
}

#: Words of other libraries and of the system, which the code has not.
FOREIGN = {"why_invalid", "why_eof", "why_no_zip", "why_crc", "why_zip_magic", "why_zip_truncated",
           "why_zlib", "what_subtitle", "what_attachment"}  # fmt: skip

#: Of the system; as it says them here.
SYSTEM = {"ENOENT", "EACCES", "EISDIR", "EIO", "ENOSPC", "ENAMETOOLONG"}

#: Put together of several texts: their parts are in the code, and the real ones above whole.
JOINED = {"aai_no_text"}

#: Texts in the code that are only parts of what is said, or that no person at the panel meets.
NOT_SAID = {
    "7: no audio or video in this folder7", "7: no audio or video in this zip7",
    "7: cannot be read (77)7", "7: 7: 7", "7: 7", "7 (7)", "7; 7", "7 cannot be used: 7; 7",
    "temperature (all but the first)", "The worker process died (7)7",
    "7 recordings7 are waiting and 7 more would pass the limit of 7",
    "A recording is given by its path (or a list of paths), not by 7", "An empty name is no file",
    "No model is loaded", "Not a note of 7: 7", "An upload's id has at most 7 characters",
}  # fmt: skip

#: With a sentence where the pattern wants one, and a figure where it wants that.
_SENTENCE, _IN_PORTUGUESE = "No speech was heard.", "Nenhuma fala foi ouvida."


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All real sentences, by name."""
    makers = (
        sentences.notices, sentences.reports, sentences.refusals, sentences.failures
    )  # fmt: skip
    return {name: text for make in makers for name, text in make(tmp_path_factory.mktemp("said"))}


def in_portuguese(said: list[str], folder: Path) -> list[dict[str, Any]]:
    """What told.js makes of sentences."""
    (folder / "constants.cjs").write_text(
        assets.constants().replace("const ", "globalThis."), encoding="utf-8"
    )
    script = (
        "import './constants.cjs';\n"
        f"import {{ tellIn }} from {json.dumps((PANEL / 'told.js').as_uri())};\n"
        "const result = (all) => all.map(tellIn('pt-BR'));"
    )
    payload: list[dict[str, Any]] = frontend.run(script, said, folder)
    return payload


def example(key: str) -> tuple[str, str]:
    """An English sentence of that entry, and its Portuguese."""
    entry = assets.sentences()[key]

    def filled(form: str, sentence: str) -> str:
        def value(name: str) -> str:
            return "7" if name in sentences.figures() else sentence if name == "told" else "Xyz"

        return re.sub(r"\{(\w+)\}", lambda found: value(found[1]), form)

    return filled(entry["en"], _SENTENCE), filled(forms(entry["pt-BR"])[-1], _IN_PORTUGUESE)


def test_both_languages_are_complete() -> None:
    """Every sentence is there in both, with the same blanks, each once in what is looked for."""
    for key, entry in assets.sentences().items():
        assert set(entry) == LANGUAGES, key
        names = re.findall(r"\{(\w+)\}", entry["en"])
        assert len(names) == len(set(names)), key
        assert set(names) == blanks(entry["pt-BR"]), key
        portuguese = entry["pt-BR"]
        assert isinstance(portuguese, str) or (set(portuguese) == PLURALS and "count" in names), key


def test_what_is_really_said_is_known(real: dict[str, str]) -> None:
    """Who changes a sentence in the code changes it in the catalogue."""
    by_name = {name: read(text) for name, text in real.items()}

    assert {name: item and item[0] for name, item in by_name.items()} == {
        name: key for name, (key, _) in WANTED.items()
    }
    assert by_name["some unsure"] == ("low_confidence", {"n": "1", "count": "3", "at": "12.3"})
    assert by_name["JPEG"] == ("foreign", {"name": HOSTILE, "what": "a JPEG image"})
    assert by_name["some withheld"] == (
        "withheld_many", {"count": "2", "text": "'Thank you.'", "at": "2.0"}
    )  # fmt: skip


def test_what_is_really_said_is_told_in_portuguese(real: dict[str, str], tmp_path: Path) -> None:
    """None is left in English, and figures are written as in Brazil."""
    message = dict(zip(real, in_portuguese(list(real.values()), tmp_path), strict=True))

    assert {name for name, item in message.items() if item["lang"] is not None} == set()
    assert {name for name, item in message.items() if item["text"] == real[name]} == set()
    by_name = {name: text for name, (_, text) in WANTED.items() if text}
    assert {name: message[name]["text"] for name in by_name} == by_name
    assert "configuração proíbe consultar o hub" in message["model"]["text"]
    assert "À mão: ponha model.bin" in message["model"]["text"]


def test_every_sentence_is_found_as_itself(tmp_path: Path) -> None:
    """None hides behind one before it; told.js and these tests read alike."""
    examples = {key: example(key) for key in assets.sentences()}
    hidden = {key for key, (said, _) in examples.items() if (read(said) or ("",))[0] != key}
    is_declared = in_portuguese([said for said, _ in examples.values()], tmp_path)

    assert hidden == set()
    by_name = {key: {"text": text, "lang": None} for key, (_, text) in examples.items()}
    assert dict(zip(examples, is_declared, strict=True)) == by_name


def test_the_words_of_the_system_are_known() -> None:
    """As this system says them."""
    unknown = {name for name in SYSTEM if read(os.strerror(getattr(errno, name))) is None}

    assert unknown == set()


def test_what_nobody_knows_stays_english(tmp_path: Path) -> None:
    """Also what is too long, and in part: two languages in one sentence help nobody."""
    said = ["as the script says", "No speech was heard. As the script says.", "x" * 9000, ""]
    message = in_portuguese([*said, "No speech was heard. Nothing was uploaded"], tmp_path)

    assert message[:3] == [{"text": text, "lang": "en"} for text in said[:3]]
    assert message[3] == {"text": "", "lang": None}
    assert message[4] == {"text": "Nenhuma fala foi ouvida. Nada foi enviado", "lang": None}


def test_hostile_names_cost_nothing(tmp_path: Path) -> None:
    """However a name is made, it is read to its end, and stays as it is."""
    names = [
        ": looks like " * 140,
        "; " * 900,
        ": " * 900,
        "(" * 1900,
        "a. B" * 400,
        "7 MiB; " * 250,
        "x: 0." + "1" * 400 + " MiB; at most 7 MiB allowed",
        "$& $1 {name} \\",
    ]
    is_declared = in_portuguese(
        [f"{name}: the file is empty (0 bytes)" for name in names], tmp_path
    )

    assert is_declared[-1]["text"] == f"{names[-1]}: o arquivo está vazio (0 bytes)"
    assert all("o arquivo está vazio" in item["text"] for item in is_declared)

"""Portuguese numbers and abbreviations, written and spoken."""

from __future__ import annotations

import pytest

from hybrid_transcribe.comparison.portuguese import roman, written_out
from hybrid_transcribe.comparison.words import count


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Rua Nestor Pestana, 266", "rua nestor pestana duzentos e sessenta e seis"),
        ("1.234 pessoas", "mil duzentos e trinta e quatro pessoas"),
        ("1.100", "mil e cem"),
        ("em 1998", "em mil novecentos e noventa e oito"),
        ("21 casas", "vinte e uma casas"),
        ("2.500 pessoas", "duas mil e quinhentas pessoas"),
        ("3,5 e 3.5", "três vírgula cinco e três ponto cinco"),
        ("3,05", "três vírgula zero cinco"),
        ("R$ 1.500,50", "mil e quinhentos reais e cinquenta centavos"),
        ("R$ 1", "um real"),
        ("R$ 0,01", "um centavo"),
        ("R$ 5 milhões", "cinco milhões de reais"),
        ("US$ 3,5 bilhões", "três vírgula cinco bilhões de dólares"),
        ("5% a 10 %", "cinco por cento a dez porcento"),
        ("às 14h30", "às catorze horas e trinta minutos"),
        ("à 1h", "à uma hora"),
        ("80 km/h", "oitenta quilômetros por hora"),
        ("60m²", "sessenta metros quadrados"),
        ("2°C", "dois graus celsius"),
        ("1º e 2ª, 21ª", "primeiro e segunda vigésima primeira"),
        ("§ 2º do art. 5º", "parágrafo segundo do artigo quinto"),
        ("no século XIX", "no século dezenove"),
        ("o Dr. Silva e a Sra. Lima", "o doutor silva e a senhora lima"),
        ("98765-4321", "nove oito sete seis cinco quatro três dois um"),
        ("0800", "zero oito zero zero"),
        ("nº 5", "número cinco"),
        ("etc.", "et cetera"),
        ("uma idéia freqüente", "uma ideia frequente"),
        ("eles tão pra vir, né?", "eles tão para vir não é"),
        ("16, 17, 19", "dezasseis dezassete dezanove"),
    ],
)
def test_written_and_spoken_are_the_same_words(written: str, spoken: str) -> None:
    """In both directions, since either may be the reference."""
    assert count(spoken, written, "pt").edits == 0
    assert count(written, spoken, "pt").edits == 0


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("vinte e um", "22"),
        ("ele e ela", "ele ela"),
        ("um homem e uma mulher", "um homem uma mulher"),
        ("dia mil", "dia dois mil"),
        ("o senhor", "a senhora"),
        ("é", "e"),
    ],
)
def test_what_differs_is_an_error(reference: str, text: str) -> None:
    """Nothing else is made equal: an "e" between other words is a word."""
    assert count(reference, text, "pt").edits > 0


def test_other_languages_keep_their_numbers() -> None:
    """The rules are for Portuguese."""
    assert count("veintiuno", "21", "es").edits == 1
    assert count("vinte e um", "21", None).edits > 0


@pytest.mark.parametrize(
    ("numeral", "value"),
    [("i", 1), ("iv", 4), ("xix", 19), ("xlii", 42), ("mil", None), ("iiii", None), ("", None)],
)
def test_roman_numerals(numeral: str, value: int | None) -> None:
    """Words of the same letters are none."""
    assert roman(numeral) == value


def test_numbers_within_words_stay_whole_words() -> None:
    """And a text without numbers only loses its capitals."""
    assert written_out("O rato roeu a roupa.") == "o rato roeu a roupa."
    assert written_out("10:30:15").split() == ["dez", ":", "trinta", ":", "quinze"]

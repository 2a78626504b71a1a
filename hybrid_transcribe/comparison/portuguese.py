"""Portuguese as it is spoken: numbers, signs and abbreviations written out, in one spelling.

Whisper writes "R$ 1.500", "14h30", "5º" or "Dr." for what a reference has in words, and the other
way round. Both are brought to words here, as Whisper's own normaliser does for English, so that
only what is really different counts as wrong. The words are those of Brazil.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: A number as it is written: 7, 1.234, 1.234.567,89, 3,5 or 3.5.
_NUMBER = r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:[.,]\d+)?"

#: Numbers of telephones, and postal codes.
_TELEPHONE = r"\b\d{4,5}-\d{3,4}\b"

#: Longer ones are telephone numbers and the like: read digit by digit, as are leading zeros.
_MOST_DIGITS = 9

_SCALES = ("mil", "milhão", "milhões", "bilhão", "bilhões", "trilhão", "trilhões")

#: Sign: one, many, one hundredth, hundredths.
_CURRENCIES: Mapping[str, tuple[str, str, str, str]] = {
    "r$": ("real", "reais", "centavo", "centavos"),
    "us$": ("dólar", "dólares", "centavo", "centavos"),
    "$": ("dólar", "dólares", "centavo", "centavos"),
    "€": ("euro", "euros", "centavo", "centavos"),
    "£": ("libra", "libras", "centavo", "centavos"),
}

#: Behind a number: one and many.
_UNITS: Mapping[str, tuple[str, str]] = {
    "km/h": ("quilômetro por hora", "quilômetros por hora"),
    "m/s": ("metro por segundo", "metros por segundo"),
    "°c": ("grau celsius", "graus celsius"),
    "ºc": ("grau celsius", "graus celsius"),
    "km²": ("quilômetro quadrado", "quilômetros quadrados"),
    "m²": ("metro quadrado", "metros quadrados"),
    "m2": ("metro quadrado", "metros quadrados"),
    "m³": ("metro cúbico", "metros cúbicos"),
    "km": ("quilômetro", "quilômetros"),
    "cm": ("centímetro", "centímetros"),
    "mm": ("milímetro", "milímetros"),
    "m": ("metro", "metros"),
    "kg": ("quilo", "quilos"),
    "mg": ("miligrama", "miligramas"),
    "g": ("grama", "gramas"),
    "ml": ("mililitro", "mililitros"),
    "l": ("litro", "litros"),
    "ha": ("hectare", "hectares"),
    "min": ("minuto", "minutos"),
    "h": ("hora", "horas"),
    "hs": ("hora", "horas"),
    "s": ("segundo", "segundos"),
    "%": ("por cento", "por cento"),
}

#: With their dot, but for those that are no word without it.
_ABBREVIATIONS: Mapping[str, str] = {
    r"srs\b\.?": "senhores",
    r"sras\b\.?": "senhoras",
    r"srta\b\.?": "senhorita",
    r"sra\b\.?": "senhora",
    r"sr\b\.?": "senhor",
    r"dra\b\.?": "doutora",
    r"dr\b\.?": "doutor",
    r"profa\b\.?": "professora",
    r"profª\.?": "professora",
    r"prof\b\.?": "professor",
    r"exmo\b\.?": "excelentíssimo",
    r"exma\b\.?": "excelentíssima",
    r"v\. ?exa\.?": "vossa excelência",
    r"av\.": "avenida",
    r"arts\.": "artigos",
    r"art\.": "artigo",
    r"inc\.": "inciso",
    r"cap\.": "capítulo",
    r"pág\.": "página",
    r"págs\.": "páginas",
    r"tel\.": "telefone",
    r"ex\.": "exemplo",
    r"ltda\b\.?": "limitada",
    r"cia\.": "companhia",
    r"jr\.": "júnior",
    r"vs\.": "versus",
    r"etc\b\.?": "et cetera",
    r"etcétera\b": "et cetera",
    r"n[º°]\.?": "número",
    r"n\.[º°o]": "número",
}

_SIGNS: Mapping[str, str] = {
    "§§": " parágrafos ",
    "§": " parágrafo ",
    "&": " e ",
    "+": " mais ",
    "=": " igual a ",
    "@": " arroba ",
}

#: What is said and what is written for it; European spellings of numbers; those before 2009.
_VARIANTS: Mapping[str, str] = {
    "pra": "para",
    "pras": "para as",
    "pro": "para o",
    "pros": "para os",
    "tá": "está",
    "tô": "estou",
    "tava": "estava",
    "né": "não é",
    "cê": "você",
    "porcento": "por cento",
    "hum": "um",
    "catorze": "quatorze",
    "dezasseis": "dezesseis",
    "dezassete": "dezessete",
    "dezanove": "dezenove",
    "duas": "dois",
    "bilião": "bilhão",
    "biliões": "bilhões",
    "kilo": "quilo",
    "kilos": "quilos",
    "quilogramas": "quilos",
    "quilograma": "quilo",
}

_HUNDREDS = "duzent trezent quatrocent quinhent seiscent setecent oitocent novecent".split()

_NUMBER_WORDS = frozenset(
    "zero um dois três quatro cinco seis sete oito nove dez onze doze treze quatorze quinze "
    "dezesseis dezessete dezoito dezenove vinte trinta quarenta cinquenta sessenta setenta "
    "oitenta noventa cem cento".split()
) | {*_SCALES, *(stem + "os" for stem in _HUNDREDS)}

#: Nouns before Roman numerals.
_WITH_ROMAN = "século|séculos|capítulo|título|inciso|incisos|volume|livro|anexo"

_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}

#: Spellings before the agreement of 1990, which Brazil follows since 2009.
_OLD_SPELLINGS = (("ü", "u"), ("éia", "eia"), ("óia", "oia"), ("óico", "oico"), ("ôo", "oo"))


def written_out(text: str) -> str:
    """The text in small letters, with numbers, signs and abbreviations in words.

    Needs num2words.

    >>> written_out("Às 14h30, o Dr. Silva pagou R$ 1.500,50 (5%).")
    'às quatorze horas e trinta minutos, o doutor silva pagou mil quinhentos reais e cinquenta \
centavos (cinco por cento).'
    """
    text = text.lower().replace("\u00a0", " ")
    for pattern, word in _ABBREVIATIONS.items():
        text = re.sub(rf"(?<!\w){pattern}", word, text)
    text = re.sub(rf"\b({_WITH_ROMAN}) ([ivxlcdm]+)\b", _roman_behind, text)
    text = _numbers(text)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    for old, new in _OLD_SPELLINGS:
        text = text.replace(old, new)
    return _same_words(re.sub(r" +", " ", text)).strip()


def _numbers(text: str) -> str:
    """All that has digits, the special before the general."""
    currency = "|".join(re.escape(sign) for sign in sorted(_CURRENCIES, key=len, reverse=True))
    scales = "|".join(_SCALES)
    text = re.sub(rf"({currency}) ?({_NUMBER})(?: ({scales})\b)?", _money, text)
    text = re.sub(_TELEPHONE, lambda match: f" {_digit_by_digit(match[0])} ", text)
    text = re.sub(r"(?<![:\d])(\d{1,2}) ?(?:h|:) ?([0-5]\d)(?: ?min)?\b(?!:)", _time, text)
    units = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
    text = re.sub(rf"\b({_NUMBER}) ?({units})(?!\w)", _measure, text)
    text = re.sub(r"\b(\d{1,4})\.?([ºª°])", _ordinal, text)
    return re.sub(rf"{_NUMBER}", lambda match: f" {_cardinal(match[0])} ", text)


def _cardinal(number: str) -> str:
    """In words: "1.234,5" is "mil duzentos e trinta e quatro vírgula cinco"."""
    if re.fullmatch(r"\d{1,3}(\.\d{3})+(,\d+)?", number):
        number = number.replace(".", "")
    separator = "ponto" if "." in number else "vírgula"
    whole, _, fraction = number.replace(".", ",").partition(",")
    said = _integer(whole)
    return f"{said} {separator} {_decimals(fraction)}" if fraction else said


def _integer(digits: str) -> str:
    if len(digits) > _MOST_DIGITS or (len(digits) > 1 and digits[0] == "0"):
        return _digit_by_digit(digits)
    return _words(int(digits))


def _digit_by_digit(number: str) -> str:
    return " ".join(_words(int(digit)) for digit in number if digit.isdigit())


def _decimals(digits: str) -> str:
    """Leading zeros one by one, the rest as a number."""
    zeros = len(digits) - len(digits.lstrip("0"))
    rest = digits.lstrip("0")
    return " ".join(["zero"] * zeros + ([_words(int(rest))] if rest else []))


def _words(number: int, kind: str = "cardinal") -> str:
    from num2words import num2words

    return str(num2words(number, lang="pt_BR", to=kind)).replace(",", "")


def _money(match: re.Match[str]) -> str:
    item, many, hundredth, hundredths = _CURRENCIES[match[1]]
    number, scale = match[2], match[3]
    if scale:
        joined = many if scale == "mil" else f"de {many}"
        return f"{_cardinal(number)} {scale} {joined}"
    cents = re.fullmatch(r"([\d.]+),(\d\d)", number)
    if cents is None:
        return f"{_cardinal(number)} {item if number == '1' else many}"
    whole = int(cents[1].replace(".", ""))
    part = int(cents[2])
    said = [f"{_words(whole)} {item if whole == 1 else many}"] if whole or not part else []
    if part:
        said.append(f"{_words(part)} {hundredth if part == 1 else hundredths}")
    return " e ".join(said)


def _time(match: re.Match[str]) -> str:
    hours, minutes = int(match[1]), int(match[2])
    said = f"{_feminine(_words(hours))} {'hora' if hours == 1 else 'horas'}"
    if not minutes:
        return said
    return f"{said} e {_words(minutes)} {'minuto' if minutes == 1 else 'minutos'}"


def _measure(match: re.Match[str]) -> str:
    item, many = _UNITS[match[2]]
    said = _cardinal(match[1])
    said = _feminine(said) if item == "hora" else said
    return f"{said} {item if match[1] == '1' else many}"


def _ordinal(match: re.Match[str]) -> str:
    said = _words(int(match[1]), "ordinal")
    return re.sub(r"o\b", "a", said) if match[2] == "ª" else said


def _feminine(said: str) -> str:
    return re.sub(r"\bum$", "uma", said)


def _roman_behind(match: re.Match[str]) -> str:
    number = roman(match[2])
    return match[0] if number is None else f"{match[1]} {_words(number)}"


def roman(numeral: str) -> int | None:
    """The value of a Roman numeral; None for letters that are none, as in "mil" or "dia".

    >>> roman("xix"), roman("vii"), roman("mil")
    (19, 7, None)
    """
    canonical = r"m{0,3}(cm|cd|d?c{0,3})(xc|xl|l?x{0,3})(ix|iv|v?i{0,3})"
    if not numeral or not re.fullmatch(canonical, numeral):
        return None
    values = [_ROMAN_DIGITS[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _same_words(text: str) -> str:
    """One form of each word, and numbers without "e": "mil e cem" and "mil cem" are the same."""
    parts = re.split(r"(\w+)", text)
    words = [_one_form(part) for part in parts[1::2]]
    gaps = parts[2::2]
    kept, n = [parts[0]], len(words)
    for i, word in enumerate(words):
        before = words[i - 1] if i and not gaps[i - 1].strip() else ""
        after = words[i + 1] if i + 1 < n and not gaps[i].strip() else ""
        if word == "e" and before in _NUMBER_WORDS and after in (*_NUMBER_WORDS, "uma"):
            continue
        if word == "um" and after == "mil":
            continue
        if word == "uma" and before == "e" and i > 1 and words[i - 2] in _NUMBER_WORDS:
            word = "um"
        kept += [word, gaps[i]]
    return "".join(kept)


def _one_form(word: str) -> str:
    for stem in _HUNDREDS:
        if word == stem + "as":
            return stem + "os"
    return _VARIANTS.get(word, word)

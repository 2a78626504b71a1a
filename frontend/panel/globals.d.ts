/** A text in each language (en, pt-BR): itself, or its plural forms by category. */
type Entry = Record<string, string | Record<string, string>>;

/** Texts by key, which the package puts before the built code. */
declare const STRINGS: Record<string, Entry>;

/** What the engines say, by key. */
declare const SENTENCES: Record<string, Entry>;

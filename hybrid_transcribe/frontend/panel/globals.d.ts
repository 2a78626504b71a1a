/** Texts by language and code: a text, or its plural forms by category. */
type Catalogue = Record<string, string | Record<string, string>>;

/** What the package puts before the built code. */
declare const CATALOGUES: Record<string, Catalogue>;

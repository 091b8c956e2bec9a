/** The head of an answer, as both engines know it. */
export interface ResponseHead {
  /** After redirects. */
  url: string;
  status: number;
  /** By lower-case name; several of one name are joined with `, `. */
  headers: Readonly<Record<string, string>>;
  contentType: string | null;
}

/** The head of a response, in both engines. */
export interface ResponseHead {
  /** After redirects. */
  url: string;
  status: number;
  /** By lower-case name; several of one name are joined with `, `. */
  headers: Readonly<Record<string, string>>;
  contentType: string | null;
}

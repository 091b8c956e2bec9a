import { type FileKind, fileKindOf } from '../extraction/files/file-kind.ts';
import { namedType } from './content-type.ts';
import type { ResponseHead } from './response-head.ts';

/** Files among responses: recognized by their content, and text files by their name too. */

/** The kind of file a response is; null if it is text or nothing that is read. */
export function fileIn(body: Uint8Array, type: string): FileKind | null {
  const kind = fileKindOf(body);
  // A page may begin with anything; a text that begins like an RTF is one.
  if (/^text\/|[/+](xml|json)$/.test(type)) return kind === 'rtf' && !/html/.test(type) ? kind : null;
  return kind ?? CLAIMED[type] ?? null;
}

/** Types whose content is something else: the reader says that it is damaged. */
const CLAIMED: Readonly<Record<string, FileKind>> = {
  'application/pdf': 'pdf',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'application/vnd.openxmlformats-officedocument.presentationml.presentation': 'pptx',
  'application/vnd.oasis.opendocument.text': 'opendocument',
  'application/epub+zip': 'epub',
};

/** Where a file's name is. */
type FileName = Pick<ResponseHead, 'url' | 'headers'>;

/** The delimiter of a CSV or TSV, `null` for one to be found; undefined if the text is none. */
export function delimiterOf(type: string, head: FileName): string | null | undefined {
  if (/^(text|application)\/(x-)?(csv|comma-separated-values)$/.test(type)) return null;
  if (/^text\/(x-)?(tab-separated-values|tsv)$/.test(type)) return '\t';
  if (!isVague(type)) return undefined;
  const extension = extensionOf(head);
  return extension === 'csv' ? null : extension === 'tsv' || extension === 'tab' ? '\t' : undefined;
}

/** The type of a text that its server names vaguely, by its file name; null for any other. */
export function textTypeByName(body: Uint8Array, type: string, head: FileName): string | null {
  if (!isVague(type) || type === 'text/plain' || !isText(body)) return null;
  return TEXT_TYPES[extensionOf(head)] ?? null;
}

const TEXT_TYPES: Readonly<Record<string, string>> = {
  ...{ csv: 'text/csv', tsv: 'text/tab-separated-values', tab: 'text/tab-separated-values' },
  ...{
    txt: 'text/plain',
    text: 'text/plain',
    log: 'text/plain',
    md: 'text/markdown',
    markdown: 'text/markdown',
  },
  ...{ json: 'application/json', xml: 'application/xml', htm: 'text/html', html: 'text/html' },
  ...{ yaml: 'text/yaml', yml: 'text/yaml', ics: 'text/calendar', vcf: 'text/vcard' },
};

/** Types that say no more than that it is a file; Excel's stands for CSV too. */
const isVague = (type: string): boolean =>
  /^(text\/plain|(application|binary)\/(octet-stream|x-download|download|force-download|x-force-download|unknown|vnd\.ms-excel|save|x-msdownload))$/.test(
    type,
  );

/** Without control characters, as texts are; UTF-16 begins with its mark. */
const isText = (body: Uint8Array): boolean =>
  (body[0] === 0xff && body[1] === 0xfe) ||
  (body[0] === 0xfe && body[1] === 0xff) ||
  !body.subarray(0, 4096).some((byte) => byte < 9 || (byte > 13 && byte < 27));

const extensionOf = ({ url, headers }: FileName): string => {
  const named = fileNameIn(headers['content-disposition']);
  const path = new URL(url).pathname;
  return /\.([a-z]{2,8})$/i.exec(named ?? path)?.[1]?.toLowerCase() ?? '';
};

function fileNameIn(disposition: string | undefined): string | null {
  const value = (disposition ?? '').slice(0, 2000);
  const found = /;\s*filename\*?\s*=\s*(?:[\w-]*'[\w-]*')?("[^"]*"|[^;]+)/i.exec(value)?.[1];
  return found ? found.replace(/^"|"$/g, '').trim() : null;
}

/** Types that never hold anything to read: they are not downloaded. */
export const isUnreadable = (contentType: string | null): boolean =>
  /^(audio|video|font|model)\/|^application\/(x-)?(7z-compressed|7z|rar|rar-compressed|vnd\.rar|gzip|gtar|gzip-compressed|tar|compressed-tar|bzip2?|xz|lzma|zstd|iso9660-image|cd-image|apple-diskimage|dosexec|msi|java-archive|java-vm|vnd\.android\.package-archive|debian-package|vnd\.debian\.binary-package|rpm|redhat-package-manager|wasm|ogg|mpegurl|shockwave-flash|font-.*|vnd\.ms-fontobject|vnd\.ms-cab-compressed|bittorrent|pkcs\S*|pgp-\S*|x509-\S*|sqlite3|protobuf)$/.test(
    namedType(contentType) ?? '',
  );

import { Parser } from 'htmlparser2';
import { parseRefresh, type Refresh, SOON_SECONDS } from './refresh-value.ts';

/**
 * Signals from a page's HTML: how much text it has, and whether scripts are likely to render the
 * rest. One linear pass, whatever the input: it runs on the event loop, for every page.
 */
export interface HtmlSignals {
  title: string;
  /** The beginning of the text visible without scripts, white space collapsed. */
  text: string;
  textLength: number;
  noscriptText: string;
  /** Script elements with code, not data. */
  executableScripts: number;
  moduleScripts: number;
  /** Script elements with a framework's state, such as `__NEXT_DATA__`. */
  stateScripts: number;
  /** Mount elements of frameworks without text. */
  emptyMounts: number;
  /** Unfilled template placeholders: `{{ name }}`. */
  placeholders: number;
  /**
   * Target of a short `<meta http-equiv="refresh">`; null if there is none, or it is the page
   * itself.
   */
  refreshesTo: string | null;
  /** `href` of its `<base>`. */
  base: string | null;
  /** A script assigns `location` near its start. */
  scriptRedirect: boolean;
  /** Addresses of visible frames as written, entities decoded; at most `MAX_FRAMES`. */
  frames: string[];
}

/** Only the beginning of larger pages is read. */
const MOST_CHARACTERS = 1_000_000;
const TEXT_KEPT = 2000;
const NOSCRIPT_KEPT = 10_000;
/** A mount element with at most this much text, such as a spinner's caption, is empty. */
const MOUNT_TEXT = 20;

export function htmlSignals(html: string): HtmlSignals {
  const reading = new SignalReader(html.length > MOST_CHARACTERS ? html.slice(0, MOST_CHARACTERS) : html);
  reading.run();
  return reading.signals();
}

class SignalReader {
  #at = 0;
  #text = '';
  #textLength = 0;
  #title = '';
  #noscriptText = '';
  #executableScripts = 0;
  #moduleScripts = 0;
  #stateScripts = 0;
  #emptyMounts = 0;
  #placeholders = 0;
  #refresh: Refresh | null = null;
  #base: string | null = null;
  #scriptRedirect = false;
  readonly #frames: string[] = [];
  /** The outermost open mount element. */
  #mount: { tag: string; depth: number; textBefore: number } | null = null;
  /** Quotes without a closing one, which are not searched again: keeps the pass linear. */
  readonly #unclosed = new Set<string>();

  constructor(private readonly html: string) {}

  run(): void {
    const { html } = this;
    while (this.#at < html.length) {
      const open = html.indexOf('<', this.#at);
      if (open < 0) break;
      this.#addText(html.slice(this.#at, open));
      this.#at = open;
      this.#readMarkup();
    }
    this.#addText(html.slice(this.#at));
    this.#closeMount();
  }

  signals(): HtmlSignals {
    return {
      title: this.#title,
      text: this.#text.slice(0, TEXT_KEPT),
      textLength: this.#textLength,
      noscriptText: this.#noscriptText,
      executableScripts: this.#executableScripts,
      moduleScripts: this.#moduleScripts,
      stateScripts: this.#stateScripts,
      emptyMounts: this.#emptyMounts,
      placeholders: this.#placeholders,
      refreshesTo: this.#refresh && this.#refresh.seconds <= SOON_SECONDS ? this.#refresh.url : null,
      base: this.#base,
      scriptRedirect: this.#scriptRedirect,
      frames: this.#frames,
    };
  }

  #addText(raw: string): void {
    // Most text between tags is white space.
    if (!/\S/.test(raw)) return;
    const spaced = raw.includes('&') ? raw.replace(/&nbsp;|&#160;/g, ' ') : raw;
    const words = spaced.replace(/\s+/g, ' ').trim();
    if (words === '') return;
    this.#textLength += words.length + (this.#textLength === 0 ? 0 : 1);
    if (this.#text.length < TEXT_KEPT) this.#text += this.#text === '' ? words : ` ${words}`;
    if (words.includes('{{')) this.#placeholders += words.match(PLACEHOLDER)?.length ?? 0;
  }

  #readMarkup(): void {
    const { html } = this;
    if (html.startsWith('<!--', this.#at)) {
      this.#at = behind(html, '-->', this.#at + 2);
      return;
    }
    TAG.lastIndex = this.#at;
    const tag = TAG.exec(html);
    if (!tag) {
      // A bare `<` is text; declarations and processing instructions are not.
      if (/[!?/]/.test(html[this.#at + 1] ?? '')) this.#at = behind(html, '>', this.#at);
      else {
        this.#addText('<');
        this.#at += 1;
      }
      return;
    }
    const [whole, slash, name = ''] = tag;
    const tagName = name.toLowerCase();
    const attributesFrom = this.#at + whole.length;
    const end = this.#tagEnd(attributesFrom);
    const attributes = html.slice(attributesFrom, end - 1);
    this.#at = end;
    if (!slash && FRAMES.has(tagName)) this.#readFrame(tagName, attributes);
    if (slash) this.#closed(tagName);
    else if (RAW.has(tagName)) this.#readRaw(tagName, attributes);
    else this.#opened(tagName, attributes);
  }

  /** Offset after the tag's `>` outside of quotes. */
  #tagEnd(from: number): number {
    const { html } = this;
    for (let at = from; at < html.length; at += 1) {
      const character = html[at] ?? '';
      if (character === '>') return at + 1;
      if ((character !== '"' && character !== "'") || this.#unclosed.has(character)) continue;
      const close = html.indexOf(character, at + 1);
      if (close < 0) this.#unclosed.add(character);
      else at = close;
    }
    return html.length;
  }

  #opened(tagName: string, attributes: string): void {
    if (tagName === 'meta') this.#readMeta(attributes);
    else if (tagName === 'base') this.#base ??= decoded(attribute(attributes, 'href'));
    if (this.#mount) {
      if (tagName === this.#mount.tag && !attributes.endsWith('/')) this.#mount.depth += 1;
    } else if (isMount(tagName, attributes)) {
      this.#mount = { tag: tagName, depth: 1, textBefore: this.#textLength };
    }
  }

  #closed(tagName: string): void {
    if (!this.#mount || tagName !== this.#mount.tag) return;
    this.#mount.depth -= 1;
    if (this.#mount.depth === 0) this.#closeMount();
  }

  #closeMount(): void {
    if (this.#mount && this.#textLength - this.#mount.textBefore <= MOUNT_TEXT) this.#emptyMounts += 1;
    this.#mount = null;
  }

  /** An element whose content is not parsed as HTML. */
  #readRaw(tagName: string, attributes: string): void {
    const { html } = this;
    // Declarative shadow DOM is rendered, so its content is read.
    if (tagName === 'template' && /\bshadowrootmode\b/i.test(attributes)) return;
    if (tagName === 'svg' && attributes.endsWith('/')) return;
    const ending = ENDINGS[tagName] as RegExp;
    ending.lastIndex = this.#at;
    const close = ending.exec(html);
    const content = html.slice(this.#at, close ? close.index : html.length);
    this.#at = close ? behind(html, '>', close.index) : html.length;
    if (tagName === 'script') this.#readScript(attributes, content);
    else if (tagName === 'title' && this.#title === '') this.#title = content.replace(/\s+/g, ' ').trim();
    else if (tagName === 'noscript' && this.#noscriptText.length < NOSCRIPT_KEPT)
      this.#noscriptText += ` ${content.slice(0, 5000).replace(/<[^>]{0,500}>/g, ' ')}`;
    else if (tagName === 'textarea') this.#addText(content);
  }

  #readScript(attributes: string, content: string): void {
    const type = attribute(attributes, 'type')?.toLowerCase() ?? '';
    const beginning = content.slice(0, 5000);
    if (/^__(next|nuxt)_/i.test(attribute(attributes, 'id') ?? '') || STATE.test(beginning))
      this.#stateScripts += 1;
    if (type !== '' && type !== 'module' && !/(java|ecma)script/.test(type)) return;
    this.#executableScripts += 1;
    if (type === 'module') this.#moduleScripts += 1;
    if (REDIRECT.test(beginning)) this.#scriptRedirect = true;
  }

  #readFrame(tagName: string, attributes: string): void {
    if (this.#frames.length >= MAX_FRAMES || NOT_SEEN.test(attributes)) return;
    if (tagName === 'object' && !isDocumentType(attribute(attributes, 'type'))) return;
    if (tagName === 'embed' && !/^text\/html/i.test(attribute(attributes, 'type') ?? '')) return;
    // The `srcdoc` wins, and is read with the page.
    if (tagName === 'iframe' && /(^|\s)srcdoc\s*=/i.test(attributes)) return;
    const address = decoded(attribute(attributes, tagName === 'object' ? 'data' : 'src'))?.trim();
    if (address && !/^(about|javascript|data|blob):/i.test(address)) this.#frames.push(address);
  }

  #readMeta(attributes: string): void {
    if (attribute(attributes, 'http-equiv')?.toLowerCase() !== 'refresh') return;
    // The first valid one counts.
    this.#refresh ??= parseRefresh(decoded(attribute(attributes, 'content')) ?? '');
  }
}

const MAX_FRAMES = 40;
const FRAMES = new Set(['iframe', 'frame', 'object', 'embed']);
/** As `isHiddenFrame` of the extraction. */
const NOT_SEEN =
  /(?:^|\s)(?:hidden(?=[\s=]|$)|(?:width|height)\s{0,9}=\s{0,9}["']?\s{0,9}[01](?:px)?(?:["'\s]|$)|style\s*=\s*(?:"[^"]{0,500}?|'[^']{0,500}?)(?:display\s*:\s*none|visibility\s*:\s*hidden))/i;
const isDocumentType = (type: string | null) =>
  type === null || /^\s*(text\/html|application\/xhtml)/i.test(type);

const PLACEHOLDER = /\{\{\s*[\w$.]+(\s*\|[^{}]{0,40})?\s*\}\}/g;
const TAG = /<(\/?)([a-z][^\s/>]*)/iy;

const RAW = new Set([
  'script',
  'style',
  'title',
  'noscript',
  'template',
  'textarea',
  'iframe',
  'svg',
  'noembed',
  'xmp',
]);
const ENDINGS: Readonly<Record<string, RegExp>> = Object.fromEntries(
  [...RAW].map((name) => [name, new RegExp(`</${name}(?=[\\s/>])`, 'gi')]),
);

const MOUNT_ID =
  /^(root|app|__next|__nuxt|___gatsby|svelte|react-root|app-root|main-app|application|q-app|vue-app|app-mount|appmountpoint|app-container|react-app|reactroot|spa|mount)$/i;
const MOUNT_ELEMENT = /^(app|my|main|root)-[a-z-]+$|^[a-z]+(-[a-z]+)*-(app|root|shell)$/;

function isMount(tagName: string, attributes: string): boolean {
  if (tagName.includes('-') && MOUNT_ELEMENT.test(tagName)) return true;
  if (tagName !== 'div' && tagName !== 'main' && tagName !== 'section' && tagName !== 'body') return false;
  if (/\b(ng-app|data-reactroot|data-server-rendered|v-cloak|ng-cloak)\b/i.test(attributes)) return true;
  return MOUNT_ID.test(attribute(attributes, 'id') ?? '');
}

const STATE =
  /__(NEXT_DATA|NUXT|INITIAL_STATE|PRELOADED_STATE|APOLLO_STATE|remixContext|sveltekit_\w+)__?|self\.__next_f/;
const REDIRECT =
  /\b(?:(?:window|document|self|top|parent)\s*\.\s*)?location\s*(?:\.\s*(?:href\s*=[^=]|(?:replace|assign)\s*\()|=[^=])/;

const ATTRIBUTE_NAMES = ['content', 'data', 'href', 'http-equiv', 'id', 'src', 'type'] as const;
type AttributeName = (typeof ATTRIBUTE_NAMES)[number];
const ATTRIBUTES = Object.fromEntries(
  ATTRIBUTE_NAMES.map((name) => [
    name,
    new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i'),
  ]),
) as Record<AttributeName, RegExp>;

/** The raw value, entities not decoded. */
function attribute(attributes: string, name: AttributeName): string | null {
  const found = ATTRIBUTES[name].exec(attributes);
  return found ? (found[1] ?? found[2] ?? found[3] ?? '') : null;
}

/** Decodes entities. */
function decoded(text: string | null): string | null {
  if (!text?.includes('&')) return text;
  let read = '';
  const parser = new Parser({ ontext: (part) => (read += part) }, { decodeEntities: true });
  parser.end(text.replaceAll('<', '&lt;'));
  return read;
}

function behind(html: string, what: string, from: number): number {
  const found = html.indexOf(what, from);
  return found < 0 ? html.length : found + what.length;
}

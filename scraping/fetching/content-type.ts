/** Of whole documents: a browser shows a lone picture or film as a page, but there is nothing in it to read. */
export const isUnsupported = (contentType: string | null | undefined): boolean =>
  /^(image\/(?!svg)|audio\/|video\/|font\/|application\/(pdf|zip|octet-stream|x-7z|x-rar|gzip|vnd\.(?!wap\.xhtml)))/i.test(
    contentType ?? '',
  );

export const isDownload = (contentDisposition: string | null | undefined): boolean =>
  /^\s*attachment/i.test(contentDisposition ?? '');

/** What one question is answered with, before it is bytes. */
export interface Answer {
  readonly code: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[]>>;
}

export const found = (body: unknown, code = 200): Answer => ({ code, body, headers: {} });

/** Text as it is, in the media type of its route. */
export class Text {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function text(body: string, headers: Answer['headers'] = {}): Answer {
  return { code: 200, body: new Text(body), headers };
}

/** Every refusal has the same three fields. */
export function refusal(
  code: number,
  error: { readonly error_code: string; readonly message: string; readonly suggested_action: string },
  headers: Answer['headers'] = {},
): Answer {
  return { code, body: error, headers };
}

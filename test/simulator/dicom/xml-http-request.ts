/** The part of a browser's XMLHttpRequest that dicomweb-client uses, over fetch. */
export class FetchedXmlHttpRequest {
  responseType = '';
  readyState = 0;
  status = 0;
  response: unknown = null;
  onreadystatechange: (() => void) | null = null;
  readonly #headers = new Headers({ accept: '*/*' });
  #method = 'GET';
  #url = '';
  #answered = new Headers();

  open(method: string, url: string): void {
    this.#method = method.toUpperCase();
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.set(name, value);
  }

  getResponseHeader(name: string): string | null {
    return this.#answered.get(name);
  }

  getAllResponseHeaders(): string {
    return [...this.#answered].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }

  send(body: ArrayBuffer | null = null): void {
    void this.#send(body);
  }

  async #send(body: ArrayBuffer | null): Promise<void> {
    const answer = await fetch(this.#url, { method: this.#method, headers: this.#headers, body });
    const bytes = await answer.arrayBuffer();
    this.status = answer.status;
    this.#answered = answer.headers;
    this.response = this.#read(bytes);
    this.readyState = 4;
    this.onreadystatechange?.();
  }

  #read(bytes: ArrayBuffer): unknown {
    if (this.responseType === 'arraybuffer') return bytes;
    const text = new TextDecoder().decode(bytes);
    if (this.responseType !== 'json') return text;
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }
}

/** Returns a message of the command for a request over HTTP: `--since` becomes `since`. */
export function withoutDashes(message: string): string {
  return message.replaceAll(/--(?=[a-z])/g, '');
}

export function report(text: string): void {
  process.stdout.write(`${text}\n`);
}

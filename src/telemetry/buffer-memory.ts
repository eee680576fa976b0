/**
 * Gives the memory of a buffer back at once; it is empty from then on. Left to the garbage collector, some megabytes of
 * buffers make it go through the whole heap. A buffer that is a part of another one is left alone.
 */
export function freeBuffer({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

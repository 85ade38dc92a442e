/** Files out of the service and into it: too large for the ordinary calls, and with a progress to be seen. */
import { ApiError, changeHeaders, errorOf } from "./client";

const BASE = "/api/v1";

/** Gives a file to the browser to be kept. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** Fetches a file and gives it to the browser. Answers its size in bytes. */
export async function download(method: "GET" | "POST", path: string, name: string): Promise<number> {
  let response: Response;
  try {
    response = await fetch(BASE + path, { method, headers: changeHeaders(), credentials: "same-origin", cache: "no-store" });
  } catch {
    throw new ApiError(0, "unreachable", "");
  }
  if (!response.ok) throw errorOf(response.status, await response.text().catch(() => ""));
  const blob = await response.blob();
  save(blob, name);
  return blob.size;
}

/** Sends a file; `onProgress` hears the share that has left, 0 to 1. Answers the JSON of the service. */
export function upload<T>(path: string, file: Blob, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", BASE + path);
    for (const [name, value] of Object.entries(changeHeaders())) request.setRequestHeader(name, value);
    request.setRequestHeader("content-type", "application/x-tar");
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onerror = () => reject(new ApiError(0, "unreachable", ""));
    request.onload = () => {
      if (request.status < 200 || request.status > 299) {
        reject(errorOf(request.status, request.responseText));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText) as T);
      } catch {
        reject(new ApiError(request.status, "malformed", ""));
      }
    };
    request.send(file);
  });
}

/** A name for a file that is kept: what it is, and the day. */
export const fileName = (what: string, end: string): string => `headroom-${what}-${new Date().toISOString().slice(0, 10)}.${end}`;

/**
 * Tests command chargers, which observe-only forbids. The installer may let Headroom command for the tests, and put it back;
 * that it was for the tests only is remembered by the browser, so that the wizard still offers to put it back after a reload.
 */
import { signal } from "@preact/signals";
import type { Mode } from "../api/types";
import { changeSite } from "../state/site";

const KEY = "headroom_setup_control_for_tests";

export const isForTests = signal(localStorage.getItem(KEY) !== null);

export function remember(forTests: boolean): void {
  isForTests.value = forTests;
  if (forTests) localStorage.setItem(KEY, "yes");
  else localStorage.removeItem(KEY);
}

export async function setMode(mode: Mode): Promise<void> {
  await changeSite((whole) => ({ ...whole, mode }));
}

/** What cannot be drawn is told, with the way out, and takes nothing else with it. */
import type { ComponentChildren } from "preact";
import { useErrorBoundary } from "preact/hooks";
import { Reload } from "./reload";

export function Whole({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary((cause: unknown) => console.error(cause));
  return error === undefined ? <>{children}</> : <Reload text="page.misfit" />;
}

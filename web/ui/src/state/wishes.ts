/** What people told the loads, and until when, as the service tells it. */
import { computed } from "@preact/signals";
import type { LoadStatus, Wish, WishKind } from "../api/types";
import { houseTime } from "./live";

/** Seconds are enough to see a wish end; more would draw the cards for nothing. */
const second = computed(() => Math.floor(houseTime.value / 1000) * 1000);

/** The kinds that this page has words for. */
const KNOWN: ReadonlySet<string> = new Set<WishKind>(["pause", "boost", "limit"]);

/** The wishes that hold for a load now. */
export const wishesOf = (load: LoadStatus): Wish[] =>
  load.wishes.filter((wish) => KNOWN.has(wish.kind) && Date.parse(wish.until) > second.value);

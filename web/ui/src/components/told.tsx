/** What the service says in its own words, which are English whatever the language of the page. */
import { sentence } from "../format";

export const Told = ({ text }: { text: string | null | undefined }) => (text ? <span lang="en">{sentence(text)}</span> : null);

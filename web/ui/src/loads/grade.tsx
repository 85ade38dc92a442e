/** How far a charger is known to obey: from its last test, not from what its maker promises. */
import { useEffect } from "preact/hooks";
import { Told } from "../components/told";
import type { ChargerReport } from "../api/loads";
import { Badge, type Tone } from "../components/badge";
import type { IconName } from "../components/icons";
import { ResourceState } from "../components/resource-state";
import { age, ampere, moment } from "../format";
import { t } from "../i18n";
import { href } from "../route";
import { chargerConfigs } from "../state/chargers";
import { link } from "../state/live";
import { readReports, reportOf, reports, reportsFailure } from "../state/reports";

export type Grade = "proven" | "follows" | "failed" | "aborted" | "untested";

export function gradeOf(report: ChargerReport | null): Grade {
  if (report === null) return "untested";
  if (report.result === "failed") return "failed";
  if (report.result === "aborted") return "aborted";
  return report.cut?.passed === true ? "proven" : "follows";
}

const LOOKS: Readonly<Record<Grade, [Tone, IconName]>> = {
  proven: ["ok", "check"],
  follows: ["info", "check"],
  failed: ["bad", "no"],
  aborted: ["warn", "warn"],
  untested: ["quiet", "dots"],
};

export function GradeBadge({ grade }: { grade: Grade }) {
  const [tone, icon] = LOOKS[grade];
  return (
    <span data-grade={grade} title={t(`grade.${grade}.long`)}>
      <Badge tone={tone} icon={icon}>
        {t(`grade.${grade}`)}
      </Badge>
    </span>
  );
}

const seconds = (ms: number | null | undefined): string => (ms === null || ms === undefined ? "–" : age(ms / 1000));

/** What went wrong stands in the state of the reports. */
const read = (): Promise<void> => readReports().catch(() => undefined);

/** Reads what the tests have found when a part of the page that shows it appears, and when a charger comes or goes. */
export function useReports(): void {
  const isOpen = link.value === "open";
  const ids = [...chargerConfigs.value.keys()].join(" ");
  useEffect(() => {
    if (isOpen) void read();
  }, [isOpen, ids]);
}

/** Why no test is told of, and how to ask again; nothing while there is nothing wrong. Once for all chargers. */
export function ReportsState() {
  if (reportsFailure.value === null) return null;
  return (
    <div class="panel" data-unread="reports">
      <ResourceState resource={{ error: reportsFailure, read }} unread="grade.unread" />
    </div>
  );
}

/** The last test of a charger, with what it measured; nothing while that is not known. */
export function LastTest({ id }: { id: string }) {
  if (reports.value === null) return null;
  const found = reportOf(id);
  const grade = gradeOf(found);
  return (
    <div class="last-test">
      <p>
        <GradeBadge grade={grade} /> <span class="note">{found === null ? t("grade.untested.long") : moment(found.ended)}</span>
      </p>
      {found === null ? null : <p><Told text={found.text} /></p>}
      {found?.follow === null || found?.follow === undefined ? null : (
        <p class="note tabular">
          {t("grade.follow", { reaction: seconds(found.follow.reaction_ms), error: ampere(found.follow.error_a), lowest: ampere(found.follow.lowest_a) })}
        </p>
      )}
      {found?.cut === null || found?.cut === undefined ? null : (
        <p class="note tabular">{t("grade.cut", { after: seconds(found.cut.fell_after_ms), safe: ampere(found.cut.safe_current_a) })}</p>
      )}
      <p>
        <a href={href("setup", ["prove"])}>{t("grade.test")}</a>
      </p>
    </div>
  );
}

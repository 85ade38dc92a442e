/** Goes on from a meter that only the command line names: it is stored first, so that a start without that reads it, too. */
import { Said } from "../components/said";
import { useForm } from "../components/use-form";
import { t } from "../i18n";
import { go } from "../route";
import { keepPinned, meterSettings } from "../state/meter";
import { pass, type StepId } from "./steps";

export function KeepMeter({ then, title }: { then: StepId; title: string }) {
  const form = useForm([]);
  const keep = (): void => {
    void form.send(async () => {
      await keepPinned();
      pass("meter");
      go("setup", [then]);
      return "";
    });
  };
  return (
    <>
      <button type="button" class="primary" data-act="next" disabled={form.busy.value} onClick={keep}>
        {t("setup.next", { step: title })}
      </button>
      <p class="note" data-keeps="">
        {t("setup.meter.keep", { source: meterSettings.value?.source ?? "" })}
      </p>
      <Said form={form} name="keep-meter" />
    </>
  );
}

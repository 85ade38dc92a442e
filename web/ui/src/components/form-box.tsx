/** A form that speaks to the service: what is asked, the answer to the last try, and its button. */
import type { ComponentChildren } from "preact";
import { Said, Submit } from "./said";
import type { Form } from "./use-form";

interface Props {
  form: Form;
  /** Its name in the document. */
  name: string;
  submit: string;
  onSubmit: () => void;
  children: ComponentChildren;
  class?: string;
  /** Who may not change anything gets no button. */
  locked?: boolean;
  /** A question that is asked before anything is sent: it stands in the place of the button. */
  ask?: ComponentChildren;
  /** More buttons. */
  beside?: ComponentChildren;
}

export function FormBox({ form, name, submit, onSubmit, children, class: look, locked = false, ask = null, beside }: Props) {
  return (
    <form
      {...(look === undefined ? {} : { class: look })}
      data-form={name}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      {children}
      {ask}
      <Said form={form} name={name} />
      {locked || ask !== null ? null : (
        <div class="row">
          <Submit form={form} text={submit} />
          {beside}
        </div>
      )}
    </form>
  );
}

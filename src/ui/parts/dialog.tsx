import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

type DialogProps = { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren };

/** A modal dialog. The browser keeps the focus inside, closes it at Escape, and gives the focus back. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

type ActionsProps = {
  readonly kind: 'primary' | 'danger';
  readonly disabled: boolean;
  readonly onClose: () => void;
  /** The label of the button that submits the form of the dialog. */
  readonly children: ComponentChildren;
};

/** The last line of a dialog's form: the button that submits it, and the button that cancels. */
export function DialogActions({ kind, disabled, onClose, children }: ActionsProps) {
  return (
    <div class="actions">
      <button type="submit" class={kind} disabled={disabled}>
        {children}
      </button>
      <button type="button" onClick={onClose}>
        Cancel
      </button>
    </div>
  );
}

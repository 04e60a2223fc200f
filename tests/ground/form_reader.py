"""What a browser would send of a page's form when nothing in it is touched."""

from bs4 import BeautifulSoup, Tag

Fields = dict[str, list[str]]


def form_of(html: str, action: str) -> Fields:
    """Return the fields of the form that is sent to an address containing `action`, as they stand."""
    form = BeautifulSoup(html, "html.parser").select_one(f'form[action*="{action}"]')
    assert form is not None, f"no form for {action}"
    fields: Fields = {}
    for control in form.select("input[name], select[name], textarea[name]"):
        for value in _values(control):
            fields.setdefault(str(control["name"]), []).append(value)
    return fields


def _values(control: Tag) -> list[str]:
    if control.has_attr("disabled"):
        return []
    if control.name == "select":
        chosen = control.select("option[selected]") or control.select("option")[:1]
        return [str(option.get("value", "")) for option in chosen]
    if control.name == "textarea":
        return [control.get_text()]
    if control.get("type") in {"radio", "checkbox"}:
        return [str(control.get("value", "on"))] if control.has_attr("checked") else []
    return [] if control.get("type") in {"submit", "file", "button"} else [str(control.get("value", ""))]

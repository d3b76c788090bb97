"""Plain user code, which knows nothing of chainrule: what lifting is tested on."""

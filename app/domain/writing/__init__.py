"""Writing examples in every form that is read: what a form cannot carry is named, never dropped."""

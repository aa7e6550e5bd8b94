"""How Sphinx builds the documentation site (tools/build_docs.py)."""

from __future__ import annotations

project = "winbackup.storage"
copyright = "the winbackup.storage contributors"
html_title = "winbackup.storage"
html_short_title = html_title

extensions = ["sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
# Labels of Ansible's own documentation that antsibull-docs refers to; nothing is fetched for them.
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/ansible/latest/", "ansible.inv")}

default_role = "any"
nitpicky = True

pygments_style = "ansible"
highlight_language = "YAML+Jinja"
html_theme = "sphinx_ansible_theme"
html_theme_options = {"vcs_pageview_mode": "edit", "documentation_home_url": "index.html"}
html_static_path = ["static"]
html_css_files = ["tables.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False

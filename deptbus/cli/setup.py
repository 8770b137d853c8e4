"""``deptbus setup``: registers the schemas, applies the topics and activates the workflows of a world."""

from deptbus.cli import output


def setup() -> None:
    """Register every schema, create the topics that are missing, activate every workflow. Safe to repeat.

    In a namespace (BUS_NAMESPACE) it does the same there. What differs from the topic files is left as it is:
    see `deptbus topics plan`.
    """
    from deptbus.catalogue import load_catalogue, refuse_lapsed
    from deptbus.clock import system_clock
    from deptbus.operations.changing import Changes
    from deptbus.packs import Packs
    from deptbus.settings import Settings
    from deptbus.workflow.load import load_workflows
    from deptbus.workflow.pack import Pack

    settings = Settings.load()
    with output.err.status("reading the files") as spinner:
        catalogue = load_catalogue(settings.root, system_clock())
        refuse_lapsed(catalogue)
        compiled = [Pack.compile(content) for content in load_workflows(settings.root, catalogue).values()]
        with Changes(settings, catalogue, output.warning) as changes:
            spinner.update("registering the schemas")
            registered = changes.register_schemas()
            spinner.update("creating the topics")
            missing = changes.create_topics()
        spinner.update("activating the workflows")
        with Packs(settings, catalogue) as packs:
            activated = sum(packs.activate(pack, system_clock()) for pack in compiled)
    output.note(
        f"Schemas: {sum(one.new for one in registered)} of {len(registered)} registered now. "
        f"Topics: {len(missing)} of {len(catalogue.topics)} created now. "
        f"Workflows: {activated} of {len(compiled)} activated now."
    )

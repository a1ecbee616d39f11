"""The second wall (row-level security) and the chain of the audit log.

Runs as the owner of the tables, who may make a role or finds `grantline_app` made. Events that were
recorded before are chained in the order of their moments. From here on the application acts as
`grantline_app`, and the audit log takes no change.
"""

import django.db.models.deletion
import django.db.models.functions
from django.db import migrations, models

from grantline.control.audit.chain import GENESIS, digest
from grantline.control.isolation import walls

APPEND_ONLY = """
CREATE FUNCTION grantline_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER audit_events_stay_as_written BEFORE UPDATE OR DELETE OR TRUNCATE ON control_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION grantline_audit_is_append_only();
CREATE TRIGGER an_audit_log_keeps_its_end BEFORE DELETE OR TRUNCATE ON control_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION grantline_audit_is_append_only();
CREATE FUNCTION grantline_audit_moves_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.organization_id = OLD.organization_id AND (
        NEW.sequence = OLD.sequence + 1 OR (NEW.sequence = OLD.sequence AND NEW.hash = OLD.hash)
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log moves forward only' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER an_audit_log_moves_forward BEFORE UPDATE ON control_audithead
    FOR EACH ROW EXECUTE FUNCTION grantline_audit_moves_forward();
"""
CHANGEABLE = """
DROP TRIGGER audit_events_stay_as_written ON control_auditevent;
DROP TRIGGER an_audit_log_keeps_its_end ON control_audithead;
DROP TRIGGER an_audit_log_moves_forward ON control_audithead;
DROP FUNCTION grantline_audit_is_append_only();
DROP FUNCTION grantline_audit_moves_forward();
"""


def chain_events(apps, schema_editor):
    """Number and hash what was recorded before there was a chain."""
    AuditEvent, AuditHead = (apps.get_model("control", name) for name in ("AuditEvent", "AuditHead"))
    for organization in apps.get_model("control", "Organization").objects.all():
        head = AuditHead(organization=organization, sequence=0, hash=GENESIS)
        for event in AuditEvent.objects.filter(organization=organization).order_by("at", "id").iterator():
            event.sequence, event.previous_hash = head.sequence + 1, head.hash
            event.hash = digest(event)
            event.save(update_fields=["sequence", "previous_hash", "hash"])
            head.sequence, head.hash = event.sequence, event.hash
        head.save(force_insert=True)


def raise_walls(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        walls.raise_walls(cursor)


def lower_walls(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        walls.lower_walls(cursor)


class Migration(migrations.Migration):

    dependencies = [
        ("control", "0002_trust_protocol"),
    ]

    operations = [
        migrations.RemoveConstraint("accountindex", "one_index_row_per_import_and_account"),
        migrations.AddField(
            "accountindex",
            "key_digest",
            models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.MD5("key"),
                output_field=models.CharField(max_length=32),
            ),
        ),
        migrations.AddConstraint(
            "accountindex",
            models.UniqueConstraint(
                models.F("import_id"), models.F("key_digest"), name="one_index_row_per_import_and_account"
            ),
        ),
        migrations.AddField("auditevent", "sequence", models.PositiveBigIntegerField(null=True)),
        migrations.AddField("auditevent", "previous_hash", models.CharField(max_length=64, null=True)),
        migrations.AddField("auditevent", "hash", models.CharField(max_length=64, null=True)),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="control.organization"
                    ),
                ),
                ("sequence", models.PositiveBigIntegerField(default=0)),
                ("hash", models.CharField(max_length=64)),
                ("verified_at", models.DateTimeField(null=True)),
                ("verified_sequence", models.PositiveBigIntegerField(default=0)),
                ("fault_count", models.PositiveIntegerField(default=0)),
            ],
            options={"verbose_name": "end of the audit log"},
        ),
        migrations.RunPython(chain_events, migrations.RunPython.noop, elidable=True),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AlterField("auditevent", "sequence", models.PositiveBigIntegerField()),
        migrations.AlterField("auditevent", "previous_hash", models.CharField(max_length=64)),
        migrations.AlterField("auditevent", "hash", models.CharField(max_length=64)),
        migrations.AddConstraint(
            "auditevent",
            models.UniqueConstraint(
                models.F("organization"), models.F("sequence"), name="audit_events_are_numbered_without_repetition"
            ),
        ),
        migrations.AddConstraint(
            "audithead",
            models.UniqueConstraint(models.F("organization"), name="an_organization_has_one_audit_log"),
        ),
        migrations.RunSQL(APPEND_ONLY, CHANGEABLE),
        migrations.RunPython(raise_walls, lower_walls),
    ]

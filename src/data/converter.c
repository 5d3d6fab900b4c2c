/* The checks that all converters have in common. */
#include "data/converter_ops.h"

int wr_converter_prepare(struct wr_converter *converter, struct wr_str topic,
                         const struct wr_schema *schema, struct wr_converter_plan **out,
                         struct weir_error *err)
{
    struct wr_converter_plan *plan = NULL;
    int rc = converter->ops->prepare(converter, topic, schema, &plan, err);
    if (rc != 0) {
        return wr_wrap(err, "%s converter", converter->ops->name);
    }
    WR_ASSERT(plan != NULL);
    plan->converter = converter;
    plan->schema = schema;
    *out = plan;
    return 0;
}

int wr_converter_convert(const struct wr_converter_plan *plan, const struct wr_datum *value,
                         struct wr_writer *w, struct weir_error *err)
{
    int rc = plan->converter->ops->convert(plan, value, w, err);
    if (rc != 0) {
        return wr_wrap(err, "%s converter", plan->converter->ops->name);
    }
    return wr_writer_end(w, err);
}

void wr_converter_plan_free(struct wr_converter_plan *plan)
{
    if (plan != NULL) {
        plan->converter->ops->plan_free(plan);
    }
}

void wr_converter_close(struct wr_converter *converter)
{
    if (converter != NULL) {
        converter->ops->close(converter);
    }
}

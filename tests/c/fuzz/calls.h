#ifndef CALLS_H
#define CALLS_H

/* One call of hubtls, chosen by the input. */
void call(void);

/* One about policies, roots and names; about identities; about builders and configurations; about connections and streams. */
void call_about_values(void);
void call_about_identities(void);
void call_about_configs(void);
void call_about_connections(void);

#endif
